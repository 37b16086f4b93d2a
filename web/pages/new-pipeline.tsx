import { Page } from '../design/page.tsx';
import { PipelineEditor } from '../screens/pipeline/pipeline-editor.tsx';

/** What a first pipeline may look like. */
const EXAMPLE = `name: hello
description: What it is for, in a sentence.
params:
  names: { type: json, default: [Ada, Grace, Barbara] }
tasks:
  - key: greet
    forEach: \${{ params.names }}
    runner: shell
    with:
      command: echo "Hello, $GANTRY_ITEM"
  - key: done
    needs: [greet]
    runner: shell
    with:
      command: echo done
`;

export default function NewPipeline() {
  return (
    <Page title="New pipeline" above={{ href: '/pipelines', name: 'Pipelines' }}>
      <PipelineEditor text={EXAMPLE} name={null} />
    </Page>
  );
}
