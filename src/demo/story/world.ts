import type { Role } from '../../kernel/actor.js';
import { signIn, type Client } from '../client.js';
import { personOf } from '../people.js';
import type { Account } from './account.js';

/** Who plays, and what the story has found out so far. */
export interface World {
  readonly account: Account;
  readonly people: Readonly<Record<Player, Client>>;
  readonly useCaseId: string;
  readonly modelId: string;
  readonly endpointId: string;
  /** What `champion` named before the story. */
  readonly formerChampion: { readonly id: string; readonly version: number };
}

/** The people of the story, by role. */
export const players = ['engineer', 'validator', 'compliance', 'reviewer', 'owner', 'auditor'] as const;

/** One of them. */
export type Player = (typeof players)[number] & Role;

interface Found {
  readonly models: {
    readonly nodes: readonly {
      readonly id: string;
      readonly name: string;
      readonly aliases: readonly {
        readonly name: string;
        readonly version: { readonly id: string; readonly version: number };
      }[];
    }[];
  };
  readonly endpoints: {
    readonly nodes: readonly { readonly id: string; readonly slug: string; readonly useCaseId: string }[];
  };
}

const look = `{
  models(first: 50) { nodes { id name aliases { name version { id version } } } }
  endpoints(first: 50) { nodes { id slug useCaseId } }
}`;

/** Signs everybody in and looks around. */
export const enterWorld = async (server: string, account: Account): Promise<World> => {
  const entries = await account.step('Six people', 'sign in, each by authorization code with PKCE', () =>
    Promise.all(players.map(async (role) => [role, await signIn(server, personOf(role))] as const)),
  );
  for (const [role, client] of entries) account.fact(`${client.name}, ${role}`);
  const people = Object.fromEntries(entries) as Record<Player, Client>;
  const found = await people.engineer.ask<Found>(look);
  const model = found.models.nodes.find((one) => one.name === 'income-routing');
  const champion = model?.aliases.find((alias) => alias.name === 'champion')?.version;
  const endpoint = found.endpoints.nodes.find((one) => one.slug === 'income-verification');
  if (!model || !champion || !endpoint) {
    throw new Error(
      'The demo workspace is not filled; start with `npm start` and wait until it says that it is ready',
    );
  }
  return {
    account,
    people,
    useCaseId: endpoint.useCaseId,
    modelId: model.id,
    endpointId: endpoint.id,
    formerChampion: champion,
  };
};
