import { changes } from './changes.js';
import { contents } from './contents.js';
import { names } from './names.js';
import type { Answer, World } from './world.js';

/** How an attempt goes at one door. */
export type Cell =
  /** It is tried and refused, by this rule, or by this code where the refusal names no rule. */
  | { readonly refusedBy: string; readonly tried: (world: World) => Promise<Answer> }
  /** It is tried and done, and what a protected name resolves to is what it was; why that is so. */
  | { readonly harmless: string; readonly tried: (world: World) => Promise<Answer> }
  /** The door has no such verb; why. */
  | { readonly none: string };

/** One way around the gate, at every door. */
export interface Bypass {
  readonly by: string;
  readonly graphql: Cell;
  readonly mlflow: Cell;
  readonly slack: Cell;
}

/** The doors, in the order of the table. */
export const doors = ['graphql', 'mlflow', 'slack'] as const;

/** Every way around the gate that we know, at each door. */
export const bypasses: readonly Bypass[] = [...names, ...contents, ...changes];
