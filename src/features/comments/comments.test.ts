import { beforeAll, describe, expect, test } from 'vitest';
import { asSystem } from '../../kernel/system.js';
import { givenPromotable, givenRequest } from '../../testing/given-change.js';
import { givenVersion } from '../../testing/given-version.js';
import { testApp, type Actor, type TestApp } from '../../testing/test-app.js';
import { createRoleRule, enrolPerson } from '../identity/index.js';
import { deleteModelVersion } from '../registry/index.js';
import { handlesIn } from './mentions.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const ADD = `mutation ($input: CommentAddInput!) {
  addComment(input: $input) { id mentioned { handle name } unknownMentions } }`;
const EDIT = `mutation ($input: CommentEditInput!) { editComment(input: $input) { id mentioned { handle } } }`;
const DELETE = `mutation ($input: CommentDeleteInput!) { deleteComment(input: $input) { id } }`;
const MODERATE = `mutation ($input: CommentModerateInput!) { moderateComment(input: $input) { id } }`;
const LIST = `query ($kind: CommentSubjectKind!, $id: ID!, $first: Int, $after: String) {
  comments(subjectKind: $kind, subjectId: $id, first: $first, after: $after) {
    nodes { id text revision authorName via viewerCanEdit deletedBy deleteReason mentioned { handle } }
    pageInfo { hasNextPage endCursor } } }`;
const HISTORY = `query ($id: ID!) { commentHistory(commentId: $id) { nodes { revision text } } }`;

interface Added {
  readonly addComment: {
    readonly id: string;
    readonly mentioned: { handle: string; name: string }[];
    readonly unknownMentions: string[];
  };
}

interface Listed {
  readonly comments: {
    readonly nodes: Record<string, unknown>[];
    readonly pageInfo: { hasNextPage: boolean; endCursor: string };
  };
}

const say = async (actor: Actor, subjectId: string, text: string, subjectKind = 'modelVersion') => {
  const answer = await app.graphql<Added>(actor, ADD, { input: { subjectKind, subjectId, text } });
  return answer.data?.addComment ?? { id: '', mentioned: [], unknownMentions: [] };
};

const listed = async (actor: Actor, id: string, page: Record<string, unknown> = {}) => {
  const { data } = await app.graphql<Listed>(actor, LIST, { kind: 'modelVersion', id, ...page });
  return data?.comments ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: '' } };
};

describe('a text', () => {
  test.each([
    ['@ada look', ['ada']],
    ['cc (@ada), @Bob-2 and @ada.', ['ada', 'bob-2']],
    ['write to ada@example.org or @example', ['example']],
    ['the code `@ada` and\n```\n@bob\n```\nbut @eve', ['eve']],
    ['a path/@scope, a..@b and --@c', []],
    ['@', []],
    ['@-ada @ada-', ['ada']],
  ])('%j calls %j', (text, handles) => {
    expect(handlesIn(text)).toEqual(handles);
  });

  test('that is made to be slow is read at once', () => {
    const started = performance.now();
    handlesIn('`'.repeat(10_000));
    handlesIn(`@${'a-'.repeat(5_000)}`);
    handlesIn('@a'.repeat(5_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a handle', () => {
  test('comes from the name, differs from those that are taken, and stays when the name changes', async () => {
    const first = await app.actor('engineer', { name: 'Zoë Müller' });
    await app.actor('engineer', { name: 'zoe mueller' });
    await app.actor('engineer', { name: 'Zoe  Muller!' });
    const MEMBERS = `query { members(first: 200) { nodes { userId handle name } } }`;
    const read = async () => {
      const { data } = await app.graphql<{ members: { nodes: { handle: string; name: string }[] } }>(
        first,
        MEMBERS,
      );
      return new Map(data?.members.nodes.map(({ name, handle }) => [name, handle]));
    };

    expect(await read()).toMatchObject(
      new Map([
        ['Zoë Müller', 'zoe-muller'],
        ['zoe mueller', 'zoe-mueller'],
        ['Zoe  Muller!', 'zoe-muller-2'],
      ]),
    );
    await app.run(enrolPerson, app.system(), {
      issuer: 'https://people.test',
      subject: 'Zoë Müller',
      displayName: 'Zoë Becker',
      email: null,
      memberships: [],
    });
    expect((await read()).get('Zoë Becker')).toBe('zoe-muller');
  });
});

test('a comment is written with those it calls, and says which names nobody has', async () => {
  const { versionId } = await givenVersion(app);
  const engineer = await app.actor('engineer');
  await app.actor('validator');

  const added = await say(engineer, versionId, 'Look at the *small* groups, @validator and @nobody-here');

  expect(added.mentioned).toEqual([{ handle: 'validator', name: 'validator' }]);
  expect(added.unknownMentions).toEqual(['nobody-here']);
  const { nodes } = await listed(engineer, versionId);
  expect(nodes).toMatchObject([
    {
      id: added.id,
      text: 'Look at the *small* groups, @validator and @nobody-here',
      revision: 1,
      authorName: 'engineer',
      via: 'COUNTERSIGN',
      viewerCanEdit: true,
      mentioned: [{ handle: 'validator' }],
    },
  ]);
  expect(await app.trail(added.id)).toEqual([
    { command: 'comment.add', outcome: 'done', actorId: engineer.id },
  ]);
});

test('comments come in pages, oldest first', async () => {
  const { versionId } = await givenVersion(app);
  const engineer = await app.actor('engineer');
  for (const text of ['one', 'two', 'three']) await say(engineer, versionId, text);

  const first = await listed(engineer, versionId, { first: 2 });
  const second = await listed(engineer, versionId, { first: 2, after: first.pageInfo.endCursor });

  expect(first.nodes.map(({ text }) => text)).toEqual(['one', 'two']);
  expect(first.pageInfo.hasNextPage).toBe(true);
  expect(second.nodes.map(({ text }) => text)).toEqual(['three']);
});

test('what a comment said before stays in its history, also when it is deleted, for those who read the trail', async () => {
  const { versionId } = await givenVersion(app);
  const [engineer, auditor] = [await app.actor('engineer'), await app.actor('auditor')];
  const { id } = await say(engineer, versionId, 'Recall is low');
  await app.graphql(engineer, EDIT, { input: { commentId: id, text: 'Recall is 0.4', revision: 1 } });
  const edited = await app.graphql(engineer, HISTORY, { id });
  await app.graphql(engineer, DELETE, { input: { commentId: id } });

  expect(edited.data).toEqual({
    commentHistory: {
      nodes: [
        { revision: 1, text: 'Recall is low' },
        { revision: 2, text: 'Recall is 0.4' },
      ],
    },
  });
  const { nodes } = await listed(engineer, versionId);
  expect(nodes).toMatchObject([{ text: null, revision: 2, deletedBy: engineer.id, viewerCanEdit: false }]);
  expect((await app.graphql(engineer, HISTORY, { id })).code).toBe('NOT_FOUND');
  expect((await app.graphql(auditor, HISTORY, { id })).data).toEqual(edited.data);
  expect((await app.trail(id)).map(({ command }) => command)).toEqual([
    'comment.add',
    'comment.edit',
    'comment.delete',
  ]);
});

test('what somebody else wrote is taken away with a reason', async () => {
  const { versionId } = await givenVersion(app);
  const { id } = await say(await app.actor('engineer'), versionId, 'A name that does not belong here');
  const owner = await app.actor('owner');

  await app.graphql(owner, MODERATE, { input: { commentId: id, reason: 'Names a customer' } });

  const { nodes } = await listed(owner, versionId);
  expect(nodes).toMatchObject([{ text: null, deletedBy: owner.id, deleteReason: 'Names a customer' }]);
});

describe('refused is', () => {
  const given = async () => {
    const { versionId } = await givenVersion(app);
    const { id } = await say(await app.actor('engineer'), versionId, 'First');
    return { versionId, id };
  };

  test.each([
    ['editing what another person wrote', 'owner', EDIT, { text: 'x' }, 'FORBIDDEN', 'not-author'],
    ['deleting what another person wrote', 'owner', DELETE, {}, 'FORBIDDEN', 'not-author'],
    ['moderating as a member', 'validator', MODERATE, { reason: 'x' }, 'FORBIDDEN', 'permission'],
    ['editing an older revision', 'engineer', EDIT, { text: 'x', revision: 7 }, 'CONFLICT', 'newer-revision'],
  ] as const)('%s, and the trail says so', async (_, role, document, more, code, rule) => {
    const { id } = await given();
    const actor = await app.actor(role);
    const answer = await app.graphql(actor, document, { input: { commentId: id, ...more } });

    expect([answer.code, answer.errors[0]?.extensions?.['details']]).toEqual([
      code,
      expect.objectContaining({ rule }),
    ]);
    expect((await app.trail(id)).at(-1)).toMatchObject({ outcome: 'refused', actorId: actor.id });
  });

  test('a change of what was deleted', async () => {
    const { id } = await given();
    const engineer = await app.actor('engineer');
    await app.graphql(engineer, DELETE, { input: { commentId: id } });

    for (const [document, more] of [
      [EDIT, { text: 'x' }],
      [DELETE, {}],
    ] as const) {
      expect((await app.graphql(engineer, document, { input: { commentId: id, ...more } })).code).toBe(
        'CONFLICT',
      );
    }
  });

  test.each([
    ['an empty text', { text: '   ' }, 'INVALID_INPUT'],
    ['a text without end', { text: 'x'.repeat(10_001) }, 'INVALID_INPUT'],
    ['a thing that is not here', { subjectId: '00000000-0000-7000-8000-000000000000' }, 'NOT_FOUND'],
  ])('%s', async (_, more, code) => {
    const { versionId } = await given();
    const input = { subjectKind: 'modelVersion', subjectId: versionId, text: 'x', ...more };

    expect((await app.graphql(await app.actor('engineer'), ADD, { input })).code).toBe(code);
  });
});

test('history cannot be rewritten, not even by the role that writes everything else', async () => {
  const { versionId } = await givenVersion(app);
  const { id } = await say(await app.actor('engineer'), versionId, 'As it was');
  const session = { ...app.system(), commandId: null };

  for (const statement of ['update comment_revision set body = $2', 'delete from comment_revision']) {
    const rewriting = app.db.transact('app_writer', session, (tx) =>
      tx.sql(`${statement} where comment_id = $1`, statement.includes('$2') ? [id, 'else'] : [id]),
    );
    await expect(rewriting).rejects.toMatchObject({ code: '42501' });
  }
});

describe('activity', () => {
  const ACTIVITY = `query ($id: ID, $first: Int, $after: String) { activity(subjectId: $id, first: $first, after: $after) {
    nodes { sentence link subjectKind command } pageInfo { hasNextPage endCursor } } }`;

  interface Shown {
    readonly activity: {
      readonly nodes: { sentence: string; link: string | null; subjectKind: string; command: string }[];
      readonly pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  }

  const shown = async (actor: Actor, variables: Record<string, unknown>) => {
    const { data } = await app.graphql<Shown>(actor, ACTIVITY, variables);
    return data?.activity ?? { nodes: [], pageInfo: { hasNextPage: false, endCursor: '' } };
  };

  test('around a change request says in sentences who did what, with links', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await say(given.validator, id, 'Is the card complete?', 'changeRequest');
    const DECIDE = `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { id } }`;
    for (const person of [given.validator, given.compliance]) {
      await app.graphql(person, DECIDE, {
        input: { changeRequestId: id, verdict: 'APPROVE', reason: 'Seen' },
      });
    }

    const { nodes } = await shown(given.engineer, { id });
    const of = (text: string): string => text.replace(/#\d+/, '#N');

    expect(nodes.map(({ sentence }) => of(sentence)).reverse()).toEqual([
      'engineer asked for change request #N',
      'validator commented on change request #N',
      'validator approved change request #N',
      'compliance approved change request #N',
      'compliance carried out change request #N',
    ]);
    expect(nodes[0]?.link).toMatch(/^\/changes\/\d+$/);
    const around = await shown(given.engineer, { id: given.versionId });
    expect(around.nodes.map(({ sentence }) => of(sentence))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^engineer created routing-\d+ version 1$/),
        expect.stringMatching(/^compliance moved the alias champion to routing-\d+ version 1$/),
        'validator approved change request #N',
      ]),
    );
  });

  test('of a workspace comes in pages that neither miss nor repeat', async () => {
    const engineer = await app.actor('engineer');
    const all = await shown(engineer, { first: 200 });
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await shown(engineer, { first: 7, after });
      seen.push(...page.nodes.map(({ sentence }) => sentence));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null && seen.length < all.nodes.length);

    expect(seen.slice(0, all.nodes.length)).toEqual(all.nodes.map(({ sentence }) => sentence));
  });

  test('of what one may not read is not told', async () => {
    await app.run(createRoleRule, await app.actor('administrator'), {
      group: 'everyone',
      role: 'engineer',
    });
    const [engineer, auditor] = [await app.actor('engineer'), await app.actor('auditor')];
    const kinds = async (actor: Actor) =>
      new Set((await shown(actor, { first: 200 })).nodes.map(({ subjectKind }) => subjectKind));

    expect((await kinds(engineer)).has('roleRule')).toBe(false);
    expect((await kinds(auditor)).has('roleRule')).toBe(true);
  });

  test('of the workspace is read from its index', async () => {
    const plan = await asSystem(app.db, async (tx) => {
      await tx.sql(`set local enable_seqscan = off`);
      return tx.sql<{ 'QUERY PLAN': string }>(
        `explain select 1 from audit_event e where e.workspace_id = '${app.workspaceId}' and e.outcome = 'done'
           and e.subject_kind <> all (array['decision', 'decisionBatch', 'session', 'news', 'delivery', 'inbox', 'preference', 'run', 'trackedFile', 'loggedModel', 'slackDelivery'])
         order by e.at desc, e.id desc limit 50`,
      );
    });

    expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toContain('audit_event_activity');
  });
});

test('what is said of a deleted version is seen by who reads the trail, and nothing more is said', async () => {
  const { versionId } = await givenVersion(app);
  const engineer = await app.actor('engineer');
  await say(engineer, versionId, 'it was good');
  await app.run(deleteModelVersion, engineer, { versionId });

  expect((await say(engineer, versionId, 'it was not')).id).toBe('');
  expect((await listed(engineer, versionId)).nodes).toEqual([]);
  expect((await listed(await app.actor('auditor'), versionId)).nodes).toMatchObject([
    { text: 'it was good' },
  ]);
});
