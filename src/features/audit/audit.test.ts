import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { defineCommand } from '../../kernel/command.js';
import { asSystem } from '../../kernel/system.js';
import { withTrace } from '../../kernel/trace.js';
import { runStatement } from '../../testing/databases.js';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import type { AuditEventView } from './audit-event.js';
import { auditRoutes } from './audit.http.js';

/** A command that tells the trail what the test wants, and of whom. */
const note = defineCommand({
  name: 'note.add',
  describe: 'Adds a note of a test.',
  permission: 'useCase:create',
  input: z.object({ id: z.string(), person: z.string().optional(), text: z.string().default('hello') }),
  target: (_, { id }) => Promise.resolve({ id }),
  handle: ({ input: { id, person, text } }) =>
    Promise.resolve({
      result: { id },
      audit: {
        subject: { kind: 'note', id },
        changes: { text: { from: null, to: 'set' } },
        facts: { length: text.length },
        ...(person === undefined ? {} : { personal: { subjectId: person, data: { text } } }),
      },
    }),
});

/** An entry as the door sends it. */
type Event = Omit<AuditEventView, 'at'> & { at: string };

interface Listed {
  auditEvents: { nodes: Event[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

const fields = `id at command outcome actor { kind id name } subject { kind id } changes { field from to } facts
  personal { subjectId data erased } requestId canonical leafHash verified`;

const LIST = `query ($first: Int, $after: String, $subjectKind: String, $subjectId: String, $actorId: String,
                     $command: String, $outcome: AuditOutcome, $from: DateTimeISO, $to: DateTimeISO) {
  auditEvents(first: $first, after: $after, subjectKind: $subjectKind, subjectId: $subjectId, actorId: $actorId,
              command: $command, outcome: $outcome, from: $from, to: $to) {
    nodes { ${fields} } pageInfo { hasNextPage endCursor }
  }
}`;
const ONE = `query ($id: ID!) { auditEvent(id: $id) { ${fields} } }`;
const ERASE = `mutation ($input: SubjectEraseInput!) { eraseSubject(input: $input) { id } }`;

let app: TestApp;
let door: TestDoor;
let auditor: Actor;
let engineer: Actor;
let noteId = '';

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { routes: [auditRoutes] });
  auditor = await app.actor('auditor');
  engineer = await app.actor('engineer');
});

beforeEach(() => {
  noteId = crypto.randomUUID();
});

const addNote = (input: { id?: string; person?: string; text?: string } = {}) =>
  app.run(note, engineer, { id: noteId, ...input });

const list = async (
  filter: Record<string, unknown> = { subjectId: noteId },
  by = auditor,
): Promise<Event[]> => {
  const { data, errors } = await app.graphql<Listed>(by, LIST, filter);
  expect(errors).toEqual([]);
  return data?.auditEvents.nodes ?? [];
};

describe('the trail', () => {
  test('says who did what to what, when and in which request, under a hash that anybody can compute', async () => {
    await withTrace({ requestId: 'request-7', door: 'test' }, () => addNote());

    const [event] = await list();

    expect(event).toMatchObject({
      command: 'note.add',
      outcome: 'done',
      actor: { kind: 'user', id: engineer.id, name: 'engineer' },
      subject: { kind: 'note', id: noteId },
      changes: [{ field: 'text', from: null, to: 'set' }],
      facts: { length: 5 },
      personal: null,
      requestId: 'request-7',
      verified: true,
    });
    const hash = createHash('sha256')
      .update(`\0${event?.canonical ?? ''}`)
      .digest('hex');
    expect(event?.leafHash).toBe(hash);
  });

  test('is read by subject, actor, command, outcome and time', async () => {
    await addNote();
    const refused = app.run(note, auditor, { id: noteId });
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const [first] = await list({ subjectId: noteId, outcome: 'done' });
    const at = new Date(first?.at ?? '');
    const after = new Date(at.getTime() + 1);

    const found = async (filter: object): Promise<string[]> =>
      (await list({ subjectId: noteId, ...filter })).map(({ outcome }) => outcome);

    expect(await found({})).toEqual(['refused', 'done']);
    expect(await found({ subjectKind: 'model' })).toEqual([]);
    expect(await found({ actorId: engineer.id })).toEqual(['done']);
    expect(await found({ actorId: auditor.id })).toEqual(['refused']);
    expect(await found({ command: 'note.add' })).toEqual(['refused', 'done']);
    expect(await found({ command: 'note.remove' })).toEqual([]);
    expect(await found({ outcome: 'refused' })).toEqual(['refused']);
    expect(await found({ to: at })).toEqual([]);
    expect(await found({ from: at, to: after })).toContain('done');
  });

  test('goes on behind its cursor without a gap or a repetition, also where times are equal', async () => {
    for (let index = 0; index < 7; index += 1) await addNote();
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const answer: { data: Listed | null } = await app.graphql<Listed>(auditor, LIST, {
        first: 3,
        after,
        subjectId: noteId,
      });
      seen.push(...(answer.data?.auditEvents.nodes ?? []).map(({ id }) => id));
      after = answer.data?.auditEvents.pageInfo.hasNextPage
        ? answer.data.auditEvents.pageInfo.endCursor
        : null;
    } while (after !== null);

    expect(seen).toHaveLength(7);
    expect(seen).toEqual((await list()).map(({ id }) => id));
    expect(new Set(seen).size).toBe(7);
  });

  test.each([
    ['nonsense', 'nonsense'],
    ['of another list', Buffer.from(JSON.stringify([crypto.randomUUID()])).toString('base64url')],
    [
      'with a time that is none',
      Buffer.from(JSON.stringify(['soon', crypto.randomUUID()])).toString('base64url'),
    ],
    ['with an id that is none', Buffer.from(JSON.stringify([new Date(), 'x'])).toString('base64url')],
  ])('refuses a cursor that is %s', async (_, after) => {
    expect((await app.graphql(auditor, LIST, { after })).code).toBe('INVALID_INPUT');
  });

  test.each(['engineer', 'validator', 'reviewer'] as const)('is not read by a %s', async (role) => {
    const actor = await app.actor(role);

    expect((await app.graphql(actor, LIST)).code).toBe('FORBIDDEN');

    expect(await list({ actorId: actor.id, command: 'audit.list' })).toMatchObject([
      { outcome: 'refused', facts: { code: 'FORBIDDEN', details: { permission: 'audit:read' } } },
    ]);
  });

  test('is not read from another workspace', async () => {
    await addNote();
    const [event] = await list();
    const workspaceId = await app.otherWorkspace();
    const stranger = await app.actor('auditor', { name: 'stranger', workspaceId });

    expect(await list({ subjectId: noteId }, stranger)).toEqual([]);
    expect((await app.graphql(stranger, ONE, { id: event?.id })).code).toBe('NOT_FOUND');
  });

  test('records that it was read, by whom and with which question', async () => {
    await addNote();
    const [event] = await list();
    await app.graphql(auditor, ONE, { id: event?.id });

    const reads = await list({ actorId: auditor.id, outcome: 'read' });

    expect(reads.find(({ command }) => command === 'audit.byId')?.subject).toEqual({
      kind: 'auditEvent',
      id: event?.id,
    });
    expect(reads.find(({ command }) => command === 'audit.list')?.facts).toEqual({
      filter: { subjectId: noteId },
      events: 1,
    });
  });
});

describe('an entry that somebody with all rights changed', () => {
  const forge = (statement: string): Promise<void> =>
    runStatement(
      app.databaseUrl,
      `alter table audit_event disable trigger append_only; ${statement}; alter table audit_event enable always trigger append_only`,
    );

  test.each([
    [
      'in its text',
      `canonical = convert_to(replace(convert_from(canonical, 'utf8'), '"set"', '"put"'), 'utf8')`,
    ],
    ['in its hash', `leaf_hash = sha256('x'::bytea)`],
    ['in a column by which it is found', `actor_id = 'somebody-else'`],
    ['in its time', `at = at - interval '1 hour'`],
    ['until nothing can be read', `canonical = 'x'::bytea, leaf_hash = sha256('\\x0078'::bytea)`],
  ])('%s is shown as not verified', async (_, change) => {
    await addNote();

    await forge(`update audit_event set ${change} where subject_id = '${noteId}'`);

    expect(await list()).toMatchObject([{ verified: false }]);
  });

  test('by moving sealed data into another entry gives nothing away', async () => {
    const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
    await addNote({ id: one, person: 'person-m', text: 'a secret' });
    await addNote({ id: two, person: 'person-m', text: 'other' });
    const sealedOf = (id: string) =>
      `(select convert_from(canonical, 'utf8')::jsonb #>> '{personal,sealed}' from audit_event where subject_id = '${id}')`;

    await forge(
      `update audit_event set canonical = convert_to(replace(convert_from(canonical, 'utf8'), ${sealedOf(two)}, ${sealedOf(one)}), 'utf8') where subject_id = '${two}'`,
    );

    expect(await list({ subjectId: two })).toMatchObject([{ verified: false, personal: { data: null } }]);
    expect(await list({ subjectId: one })).toMatchObject([
      { verified: true, personal: { data: { text: 'a secret' } } },
    ]);
  });
});

describe('personal data', () => {
  const erase = async (subjectId: string, input: object = {}, by?: Actor) =>
    app.graphql(by ?? (await app.actor('compliance')), ERASE, {
      input: { subjectId, confirmSubjectId: subjectId, reason: 'Case 12: erasure was asked for', ...input },
    });

  test('is opened for who may read the trail, and stands nowhere in plain text', async () => {
    await addNote({ person: 'person-1', text: 'born in Oslo' });

    const [event] = await list();

    expect(event?.personal).toEqual({ subjectId: 'person-1', data: { text: 'born in Oslo' }, erased: false });
    expect(event?.canonical).not.toContain('Oslo');
  });

  test('is unreadable for good once it was erased; hashes hold, and the trail says who did it and why', async () => {
    await addNote({ person: 'person-2', text: 'born in Oslo' });
    const compliance = await app.actor('compliance');

    const answer = await erase('person-2');

    expect(answer.data).toEqual({ eraseSubject: { id: 'person-2' } });
    expect(await list()).toMatchObject([
      { verified: true, personal: { subjectId: 'person-2', data: null, erased: true } },
    ]);
    expect(await list({ subjectId: 'person-2' })).toMatchObject([
      {
        command: 'subject.erase',
        actor: { id: compliance.id },
        changes: [{ field: 'key', from: 'present', to: 'erased' }],
        facts: { reason: 'Case 12: erasure was asked for' },
      },
    ]);
    const again = addNote({ person: 'person-2' });
    await expect(again).rejects.toMatchObject({ code: 'CONFLICT', details: { rule: 'erased-subject' } });
  });

  test('of the same person in another workspace stays', async () => {
    const workspaceId = await app.otherWorkspace();
    const colleague = await app.actor('engineer', { name: 'erik', workspaceId });
    const reader = await app.actor('auditor', { name: 'ute', workspaceId });
    await addNote({ person: 'person-3', text: 'here' });
    await app.run(note, colleague, { id: noteId, person: 'person-3', text: 'there' });

    await erase('person-3');

    expect((await list({ subjectId: noteId, outcome: 'done' }))[0]?.personal).toMatchObject({ erased: true });
    expect((await list({ subjectId: noteId }, reader))[0]?.personal).toMatchObject({
      data: { text: 'there' },
    });
  });

  test.each([
    ['when the id is not typed twice', 'person-4', { confirmSubjectId: 'person-5' }, 'INVALID_INPUT'],
    ['without a reason', 'person-4', { reason: ' ' }, 'INVALID_INPUT'],
    ['of somebody of whom nothing is known', 'nobody', {}, 'NOT_FOUND'],
  ])('is not erased %s', async (_, subjectId, input, code) => {
    await addNote({ person: 'person-4', text: 'kept' });

    expect((await erase(subjectId, input)).code).toBe(code);

    expect((await list())[0]?.personal).toMatchObject({ data: { text: 'kept' } });
  });

  test('is not erased by who may not, nor twice', async () => {
    await addNote({ person: 'person-6' });

    expect((await erase('person-6', {}, auditor)).code).toBe('FORBIDDEN');
    expect((await erase('person-6')).code).toBeUndefined();
    expect((await erase('person-6')).code).toBe('CONFLICT');

    const outcomes = (await list({ subjectId: 'person-6' })).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['refused', 'done', 'refused']);
  });

  test('cannot be given its key back, nor lose it past the trail, not even by the machinery', async () => {
    await addNote({ person: 'person-7' });
    const machinery = (statement: string) => asSystem(app.db, (tx) => tx.sql(statement));

    const silently = machinery(
      `update subject_key set wrapped_key = null, erased_at = now() where subject_id = 'person-7'`,
    );
    await expect(silently).rejects.toThrow('outside an audited command');
    await erase('person-7');
    await expect(
      machinery(
        `update subject_key set wrapped_key = '\\x00', erased_at = null where subject_id = 'person-7'`,
      ),
    ).rejects.toThrow('an erased key stays erased');
    await expect(machinery(`delete from subject_key where subject_id = 'person-7'`)).rejects.toThrow(
      'never deleted',
    );
  });
});

describe('the export', () => {
  const download = async (query: string, by: Actor = auditor) => {
    const response = await fetch(`${door.address}/v1/audit.jsonl${query}`, { headers: door.headersOf(by) });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  const linesOf = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('holds every event of a period once, oldest first, over many parts, with hashes that hold', async () => {
    const from = new Date(Date.now() + 3_600_000);
    app.clock.advance(3_600_001);
    for (let index = 0; index < 10; index += 1) {
      await Promise.all(
        Array.from({ length: 111 }, () => addNote({ person: 'person-x', text: 'plain text' })),
      );
    }
    app.clock.advance(1000);

    const { status, type, text } = await download(`?from=${from.toISOString()}`);

    expect([status, type]).toEqual([200, 'application/jsonl; charset=utf-8']);
    const lines = linesOf(text);
    const events = lines.slice(0, -1);
    expect(events).toHaveLength(1110);
    expect(lines.at(-1)).toMatchObject({ end: true, events: 1110, from: from.toISOString() });
    const keys = events.map(({ at, id }) => `${String(at)}${String(id)}`);
    expect(keys).toEqual([...keys].sort());
    expect(new Set(keys).size).toBe(1110);
    for (const { canonical, leafHash } of events) {
      expect(leafHash).toBe(
        createHash('sha256')
          .update(`\0${String(canonical)}`)
          .digest('hex'),
      );
    }
    expect(text).not.toContain('plain text');
    expect(await list({ command: 'audit.export' })).toMatchObject([
      { outcome: 'read', facts: { from: from.toISOString() } },
    ]);
  });

  test.each([
    ['a time that is none', '?from=yesterday'],
    ['a question that it does not know', '?since=2026-01-01'],
  ])('refuses %s', async (_, query) => {
    expect(await download(query)).toMatchObject({ status: 400 });
  });

  test('is not for who may not read the trail, nor for strangers', async () => {
    expect(await download('', engineer)).toMatchObject({ status: 403 });
    expect(await fetch(`${door.address}/v1/audit.jsonl`)).toMatchObject({ status: 401 });
  });
});
