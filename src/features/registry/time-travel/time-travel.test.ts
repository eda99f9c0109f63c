import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../../kernel/actor.js';
import { AppError } from '../../../kernel/errors.js';
import { champion, givenChampion, givenPromotable } from '../../../testing/given-change.js';
import { chance, Player } from '../../../testing/given-history.js';
import { freshName, givenUseCase, givenVersion } from '../../../testing/given-version.js';
import { connect } from '../../../testing/shape/database-shape.js';
import { testApp, type TestApp } from '../../../testing/test-app.js';
import { updateCard } from '../../cards/index.js';
import { createModel, deleteModel, renameModel, setAlias } from '../index.js';

let app: TestApp;
let auditor: UserActor;
let engineer: UserActor;
beforeAll(async () => {
  app = await testApp();
  auditor = await app.actor('auditor');
  engineer = await app.actor('engineer');
});

const AT = `query ($name: String!, $time: DateTimeISO!) { modelAt(name: $name, time: $time) {
  modelId name tombstone { by }
  aliases { name versionId version useCaseId changeRequestId card { revision fields } }
  stages { versionId stage } policy { revision }
  requests { id state approvals { id by verdict } } } }`;

interface Then {
  readonly modelId: string;
  readonly name: string;
  readonly tombstone: { by: string } | null;
  readonly aliases: readonly {
    name: string;
    versionId: string;
    useCaseId: string | null;
    changeRequestId: string | null;
    card: { revision: number; fields: Record<string, { value: string }> } | null;
  }[];
  readonly stages: readonly { versionId: string; stage: string }[];
  readonly policy: { revision: number };
  readonly requests: readonly { id: string; state: string; approvals: readonly { id: string }[] }[];
}

const at = async (
  name: string,
  time: Date,
  actor = auditor,
): Promise<{ code?: string; then: Then | null }> => {
  const { data, code } = await app.graphql<{ modelAt: Then }>(actor, AT, { name, time: time.toISOString() });
  return { ...(code === undefined ? {} : { code }), then: data?.modelAt ?? null };
};

const nameOf = async (id: string): Promise<string> => {
  const { data } = await app.graphql<{ model: { name: string } }>(
    auditor,
    `query ($id: ID!) { model(id: $id) { name } }`,
    { id },
  );
  return data?.model.name ?? '';
};

/** The time of this moment; whatever happens next is later. */
const moment = (): Date => {
  const time = app.clock.now();
  app.clock.advance(20);
  return time;
};

interface Truth {
  readonly modelId: string;
  readonly deleted: boolean;
  readonly aliases: readonly string[];
  readonly stages: readonly string[];
  readonly cards: readonly string[];
  readonly policy: number;
  readonly requests: readonly string[];
}

/** What stands in the tables at this moment: the answer that the past must give later. */
const truthOf = async (name: string): Promise<Truth | null> => {
  const client = await connect(app.databaseUrl);
  try {
    const { rows } = await client.query<{ truth: Truth }>(
      `select jsonb_build_object(
          'modelId', m.id, 'deleted', m.deleted_at is not null,
          'aliases', (select coalesce(jsonb_agg(concat_ws('|', name, version_id, use_case_id, change_request_id) order by folded), '[]')
                        from model_alias where model_id = m.id),
          'stages', (select coalesce(jsonb_agg(id || '|' || stage order by version), '[]') from model_version
                      where model_id = m.id and stage <> 'None' and deleted_at is null and m.deleted_at is null),
          'cards', (select coalesce(jsonb_agg(concat_ws('|', a.name, c.revision, c.fields -> 'intendedUse' ->> 'value') order by a.folded), '[]')
                      from model_alias a join model_card c on c.version_id = a.version_id and c.use_case_id = a.use_case_id
                     where a.model_id = m.id),
          'policy', (select coalesce(max(revision), 0) from approval_policy),
          'requests', (select coalesce(jsonb_agg(concat_ws('|', r.id, r.state,
                          (select string_agg(p.id::text, ',' order by p.id) from approval p where p.change_request_id = r.id and p.voided_at is null)) order by r.number), '[]')
                         from change_request r where r.model_id = m.id
                          and (r.state in ('OPEN', 'APPROVED') or r.id in (select change_request_id from model_alias where model_id = m.id)))
        ) as truth
         from registered_model m where m.name = $1 order by m.deleted_at desc nulls first limit 1`,
      [name],
    );
    return rows[0]?.truth ?? null;
  } finally {
    await client.end();
  }
};

const told = (then: Then): Truth => ({
  modelId: then.modelId,
  deleted: then.tombstone !== null,
  aliases: then.aliases.map(({ name, versionId, useCaseId, changeRequestId }) =>
    [name, versionId, useCaseId, changeRequestId].filter((part) => part !== null).join('|'),
  ),
  stages: then.stages.map(({ versionId, stage }) => `${versionId}|${stage}`),
  cards: then.aliases.flatMap(({ name, card }) => {
    if (!card) return [];
    const value = card.fields['intendedUse']?.value;
    return [[name, card.revision, ...(value === undefined ? [] : [value])].join('|')];
  }),
  policy: then.policy.revision,
  requests: then.requests.map(({ id, state, approvals }) => {
    const ids = approvals.map((one) => one.id).sort();
    return [id, state, ...(ids.length === 0 ? [] : [ids.join(',')])].join('|');
  }),
});

test.each([1, 2, 3])(
  'whatever happened, every moment is told as it was then (history %i)',
  { timeout: 240_000 },
  async (seed) => {
    const names = [1, 2, 3].map(() => freshName(`past-${String(seed)}`));
    const useCases = [await givenUseCase(app), await givenUseCase(app)];
    const player = new Player(app, engineer, chance(seed), names, useCases);
    const moments: { time: Date; name: string; truth: Truth | null }[] = [];
    let done = 0;
    for (let step = 0; step < 110; step += 1) {
      const deed = step < 4 ? player.deeds[0] : player.deeds[player.pick(player.deeds.length)];
      const played = await deed?.().then(
        () => true,
        (error: unknown) => {
          // What is refused changes nothing, which is the point of comparing then too.
          if (error instanceof AppError) return false;
          throw error;
        },
      );
      if (played === true) done += 1;
      const name = names[step % names.length] ?? '';
      const truth = await truthOf(name);
      moments.push({ time: moment(), name, truth });
    }

    expect(done).toBeGreaterThan(40);
    expect(moments.filter(({ truth }) => truth !== null && truth.aliases.length > 0).length).toBeGreaterThan(
      10,
    );
    for (const { time, name, truth } of moments) {
      const { then, code } = await at(name, time);
      if (truth === null) expect([name, code]).toEqual([name, 'NOT_FOUND']);
      else expect([name, time, then && told(then)]).toEqual([name, time, truth]);
    }
  },
);

describe('the past', () => {
  test('tells who approved what stood there, under which policy, and what the card said', async () => {
    const given = await givenPromotable(app);
    const name = await nameOf(given.modelId);
    const before = moment();
    const requestId = await givenChampion(app, given);
    const during = moment();
    await app.run(updateCard, given.engineer, {
      versionId: given.versionId,
      useCaseId: given.useCaseId,
      fields: [{ name: 'intendedUse', value: 'something else' }],
    });
    moment();

    expect((await at(name, before)).then).toMatchObject({ aliases: [], requests: [] });
    expect((await at(name, during)).then).toMatchObject({
      aliases: [
        {
          name: 'champion',
          versionId: given.versionId,
          changeRequestId: requestId,
          card: { revision: 1, fields: { intendedUse: { value: 'as agreed', by: given.engineer.id } } },
        },
      ],
      requests: [
        {
          id: requestId,
          state: 'EXECUTED',
          approvals: [
            { by: given.validator.id, verdict: 'APPROVE' },
            { by: given.compliance.id, verdict: 'APPROVE' },
          ],
        },
      ],
    });
  });

  test('knows a name only while it was one: a given-up name leads nowhere afterwards, and back in its time', async () => {
    const { modelId } = await givenVersion(app);
    const old = await nameOf(modelId);
    const early = new Date(app.clock.now().getTime() - 60_000);
    const before = moment();
    const name = freshName('renamed');
    await app.run(renameModel, engineer, { modelId, name });
    const after = moment();

    expect((await at(old, before)).then).toMatchObject({ modelId, name: old });
    expect((await at(old.toUpperCase(), before)).then).toMatchObject({ modelId });
    expect((await at(name, after)).then).toMatchObject({ modelId, name });
    expect([(await at(old, after)).code, (await at(name, before)).code, (await at(old, early)).code]).toEqual(
      ['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'],
    );
  });

  test('shows the tombstone of what was deleted, and the new model once it has the name', async () => {
    const { modelId, versionId } = await givenVersion(app);
    const name = await nameOf(modelId);
    await app.run(setAlias, engineer, { modelId, versionId, name: 'blue' });
    const alive = moment();
    await app.run(deleteModel, engineer, { modelId });
    const dead = moment();
    const { id: again } = await app.run(createModel, engineer, { name });
    const later = moment();

    expect((await at(name, alive)).then).toMatchObject({
      modelId,
      tombstone: null,
      aliases: [{ name: 'blue' }],
    });
    expect((await at(name, dead)).then).toMatchObject({
      modelId,
      tombstone: { by: engineer.id },
      aliases: [],
    });
    expect((await at(name, later)).then).toMatchObject({ modelId: again, tombstone: null, aliases: [] });
  });

  test('is read by those who read the trail, and the read stands there', async () => {
    const { modelId } = await givenVersion(app);
    const name = await nameOf(modelId);
    const time = moment();

    expect((await at(name, time, engineer)).code).toBe('FORBIDDEN');
    await at(name, time);
    expect((await app.trail(modelId)).at(-1)).toEqual({
      command: 'model.at',
      outcome: 'read',
      actorId: auditor.id,
    });
  });

  test('of another workspace is not told', async () => {
    const { modelId } = await givenVersion(app);
    const name = await nameOf(modelId);
    const workspaceId = await app.otherWorkspace();
    const stranger = await app.actor('auditor', { name: 'stranger', workspaceId });

    expect((await at(name, moment(), stranger)).code).toBe('NOT_FOUND');
  });

  test('is found by index, however much has happened', async () => {
    const given = await givenPromotable(app);
    await givenChampion(app, given);
    expect(await champion(app, given.modelId)).toBe(given.versionId);
    const client = await connect(app.databaseUrl);
    try {
      await client.query('begin; set local role app_reader; set local enable_seqscan = off');
      await client.query(`select set_config('app.workspace_id', $1, true)`, [app.workspaceId]);
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain select distinct on (h.folded) h.* from registry_history h
          where h.workspace_id = app_workspace() and h.model_id = '${given.modelId}' and h.kind = 'ALIAS' and h.at <= now()
          order by h.folded, h.seq desc`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('registry_history_of_model');
      expect(plan).toMatch(/Index Cond: .*model_id/);
    } finally {
      await client.end();
    }
  });
});
