import { useRouter } from 'next/router';
import { useEffect, useState, type KeyboardEvent } from 'react';
import { ask } from '../../client/ask.ts';
import { PaletteSearch } from '../../client/operations.ts';
import { openWhenReachable } from '../../client/reach.ts';
import { Dialog } from '../../design/dialog.tsx';
import { PLACES } from './places.tsx';

interface Target {
  readonly href: string;
  readonly name: string;
  readonly kind: string;
  readonly isOutside?: boolean;
}

const SCREENS: readonly Target[] = [
  ...PLACES.map(({ href, name, isOutside = false }) => ({ href, name, kind: 'Screen', isOutside })),
  { href: '/new-pipeline', name: 'New pipeline', kind: 'Action' },
];

const MOST = 12;
/** Before the server is asked, so that it is not asked for every letter. */
const PAUSE_MS = 120;

/** Goes anywhere by a few letters of its name. */
export function Palette({ close }: { readonly close: () => void }) {
  const router = useRouter();
  const [text, setText] = useState('');
  const [found, setFound] = useState<readonly Target[]>([]);
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    const search = text.trim();
    const timer = setTimeout(() => {
      searchServer(search, ending.signal).then(setFound, () => {
        if (!ending.signal.aborted) setFound([]);
      });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [text]);
  const wanted = text.trim().toLowerCase();
  const targets = [...SCREENS.filter(({ name }) => name.toLowerCase().includes(wanted)), ...found].slice(0, MOST);
  const at = Math.min(chosen, targets.length - 1);
  const go = ({ href, isOutside }: Target): void => {
    close();
    if (isOutside) openWhenReachable(href);
    else void router.push(href);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setChosen(Math.min(at + 1, targets.length - 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(at - 1, 0));
    else if (event.key === 'Enter' && targets[at]) go(targets[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Go to …" close={close}>
      <input
        className="input"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette"
        aria-label="A screen, pipeline, run or node"
        aria-activedescendant={at >= 0 ? `palette-${at}` : undefined}
        autoFocus
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setChosen(0);
        }}
        onKeyDown={onKey}
      />
      <ul id="palette" className="palette" role="listbox" aria-label="Where to go">
        {targets.map((target, index) => (
          <li
            key={target.href}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => go(target)}
            onMouseMove={() => setChosen(index)}
          >
            <span className="clip">{target.name}</span>
            <span className="faint">{target.kind}</span>
          </li>
        ))}
        {targets.length === 0 ? <li className="faint">Nothing is called that.</li> : null}
      </ul>
    </Dialog>
  );
}

async function searchServer(search: string, signal: AbortSignal): Promise<readonly Target[]> {
  const { pipelines, nodes, run } = await ask(PaletteSearch, { search, run: search || 'none' }, signal);
  const wanted = search.toLowerCase();
  return [
    ...(run === null ? [] : [{ href: `/runs/${run.id}`, name: `${run.pipelineName} ${run.id}`, kind: 'Run' }]),
    ...pipelines.nodes.map(({ name }) => ({ href: `/pipelines/${encodeURIComponent(name)}`, name, kind: 'Pipeline' })),
    ...nodes.nodes
      .filter(({ name }) => wanted !== '' && name.toLowerCase().includes(wanted))
      .map(({ name }) => ({ href: `/nodes/${encodeURIComponent(name)}`, name, kind: 'Node' })),
  ];
}
