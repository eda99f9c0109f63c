import type { Cell } from './table.js';
import { spoken, type Answer, type GraphqlDoor, type World } from './world.js';
import type { Protocol } from '../mlflow-door.js';

type Call = ReturnType<Protocol['send']>;

/** A mutation that is refused. */
export const mutation = (
  refusedBy: string,
  field: string,
  type: string,
  input: (world: World) => object | Promise<object>,
  role?: string,
): Cell => ({ refusedBy, tried: async (world) => world.graphql(field, type, await input(world), role) });

/** A mutation that is done and changes nothing that matters. */
export const harmlessMutation = (
  harmless: string,
  ...[field, type, input]: [Parameters<GraphqlDoor>[0], string, (world: World) => object]
): Cell => ({ harmless, tried: (world) => world.graphql(field, type, input(world)) });

/** A call of the protocol that is refused. */
export const call = (refusedBy: string, send: (world: World) => Call): Cell => ({
  refusedBy,
  tried: (world) => spoken(send(world)),
});

/** A call of the protocol that is done and changes nothing that matters. */
export const harmlessCall = (harmless: string, send: (world: World) => Call): Cell => ({
  harmless,
  tried: (world) => spoken(send(world)),
});

const ruleIn = (whisper: string): string | undefined => /rule: ([\w.-]+)/.exec(whisper)?.[1];

const otherwise = (whisper: string): string => {
  if (whisper === '') return 'passed over';
  return whisper.includes('not good any more') ? 'unsealed' : whisper;
};

/** Something that Slack sends: refused by its status, by what is whispered, or by being passed over. */
export const inSlack = (
  refusedBy: string,
  send: (world: World) => Promise<{ readonly status: number } | null>,
): Cell => ({
  refusedBy,
  tried: async (world): Promise<Answer> => {
    world.slack.whispers.length = 0;
    const sent = await send(world);
    const status = sent?.status ?? 200;
    if (status >= 400) return { refused: true, why: String(status), details: {} };
    const whisper = world.lastWhisper();
    return { refused: true, why: ruleIn(whisper) ?? otherwise(whisper), details: {} };
  },
});

/** Why a door is not tried. */
export const none = (why: string): Cell => ({ none: why });

/** Slack shows requests: one decides there, and nothing else. */
export const noVerb = none('Slack has the buttons of a request and no verb for names, versions or files');
