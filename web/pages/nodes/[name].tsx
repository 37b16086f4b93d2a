import { useRouter } from 'next/router';
import { NodeScreen } from '../../screens/nodes/node-screen.tsx';

export default function Node() {
  const { name } = useRouter().query;
  return typeof name === 'string' ? <NodeScreen key={name} name={name} /> : null;
}
