import { createContext, useContext } from 'react';
import type { Role, ViewerData } from '../../client/operations.ts';

/** Who is signed in. */
export type SignedIn = ViewerData['viewer'];

/** Who is signed in; null outside of `Session`. */
export const ViewerContext = createContext<SignedIn | null>(null);

/** Who is signed in. Only below `Session`. */
export function useViewer(): SignedIn {
  const viewer = useContext(ViewerContext);
  if (viewer === null) throw new Error('Nobody is signed in here.');
  return viewer;
}

const RANKS: Readonly<Record<Role, number>> = { NODE: 0, VIEWER: 1, OPERATOR: 2, AUTHOR: 3, ADMIN: 4 };

/** Why the viewer may not do what takes a role; null when they may. */
export function useRefusal(role: 'OPERATOR' | 'AUTHOR' | 'ADMIN'): string | null {
  const { role: own } = useViewer();
  if (RANKS[own] >= RANKS[role]) return null;
  return `This takes the role ${role.toLowerCase()}; your token has ${own.toLowerCase()}.`;
}
