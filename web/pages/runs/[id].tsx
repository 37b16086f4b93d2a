import { useRouter } from 'next/router';
import { RunScreen } from '../../screens/run/run-screen.tsx';

export default function Run() {
  const { id } = useRouter().query;
  return typeof id === 'string' ? <RunScreen key={id} id={id} /> : null;
}
