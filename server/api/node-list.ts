import type { Node } from '../domain/node.ts';
import { builder } from './builder.ts';
import { connectionType } from './connections.ts';

export const NodeRef = builder.objectRef<Node>('Node');
export const NodeConnection = connectionType<Node>('Node', NodeRef, 'nodes');
