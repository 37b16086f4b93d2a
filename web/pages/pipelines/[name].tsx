import { useRouter } from 'next/router';
import { PipelineScreen } from '../../screens/pipeline/pipeline-screen.tsx';

export default function Pipeline() {
  const { name } = useRouter().query;
  return typeof name === 'string' ? <PipelineScreen key={name} name={name} /> : null;
}
