import { expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import {
  champion,
  decide,
  givenCard,
  givenEvidence,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { updateCard } from '../cards/index.js';
import { withdrawChange } from './index.js';

const rounds = 1000;
const models = 25;

/** A model whose champion goes to and fro between two versions of which everything is known. */
interface Ground extends Given {
  readonly versions: readonly string[];
}

const groundOf = async (app: TestApp): Promise<Ground> => {
  const given = await givenPromotable(app);
  const second = await givenNextVersion(app, given.engineer, given.modelId);
  const about = { ...given, versionId: second };
  await givenCard(app, about);
  await givenEvidence(app, about, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  return { ...given, versions: [given.versionId, second] };
};

/** Refusals are outcomes; anything else is a fault. */
const settle = async (all: readonly Promise<unknown>[]): Promise<void> => {
  for (const one of await Promise.allSettled(all)) {
    if (one.status === 'rejected' && !(one.reason instanceof AppError)) throw one.reason;
  }
};

interface After {
  readonly state: string;
  /** Approvals that count and are bound to the manifest that the request has now. */
  readonly valid: number;
  /** Approvals that count, whatever they are bound to. */
  readonly counted: number;
  readonly executions: number;
  readonly limitations: string | null;
}

const afterOf = async (app: TestApp, id: string): Promise<After> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const [row] = await app.db.transact('app_reader', session, (db) =>
    db.sql<After>(
      `select c.state, c.manifest #>> '{entries,card.limitations,value}' as limitations,
              (select count(*)::int from approval a where a.change_request_id = c.id and a.voided_at is null
                  and a.manifest_sha256 = c.manifest_sha256) as valid,
              (select count(*)::int from approval a where a.change_request_id = c.id and a.voided_at is null) as counted,
              (select count(*)::int from audit_event e where e.subject_kind = 'changeRequest'
                  and e.subject_id = c.id::text and e.outcome = 'done'
                  and convert_from(e.canonical, 'UTF8')::jsonb #>> '{changes,state,to}' = 'EXECUTED') as executions
         from change_request c where c.id = $1`,
      [id],
    ),
  );
  if (!row) throw new Error('The request is gone');
  return row;
};

test(
  'two approvals and a card edit at the same instant leave one consistent outcome, a thousand times',
  { timeout: 600_000 },
  async () => {
    const app = await testApp();
    const grounds: Ground[] = [];
    for (let index = 0; index < models; index += 1) grounds.push(await groundOf(app));
    const seen = { EXECUTED: 0, OPEN: 0 };

    for (let round = 0; round < rounds; round += 1) {
      const ground = grounds[round % models];
      if (!ground) throw new Error('no ground');
      const before = await champion(app, ground.modelId);
      const versionId = ground.versions.find((id) => id !== before) ?? '';
      const id = await givenRequest(app, ground, versionId);
      const value = `edited in round ${String(round)}`;
      const edit = (): Promise<unknown> =>
        app.run(updateCard, ground.engineer, {
          versionId,
          useCaseId: ground.useCaseId,
          fields: [{ name: 'limitations', value }],
        });
      const all = [() => decide(app, ground.validator, id), () => decide(app, ground.compliance, id), edit];
      const turned = [...all.slice(round % 3), ...all.slice(0, round % 3)];
      await settle(turned.map((start) => start()));

      const after = await afterOf(app, id);
      const now = await champion(app, ground.modelId);
      if (after.state === 'EXECUTED') {
        // Both approvals are bound to the very manifest that was carried out, once.
        expect(after).toMatchObject({ valid: 2, counted: 2, executions: 1 });
        expect(now).toBe(versionId);
        seen.EXECUTED += 1;
      } else {
        expect(after).toMatchObject({ state: 'OPEN', executions: 0 });
        expect(now).toBe(before);
        seen.OPEN += 1;
        await app.run(withdrawChange, ground.engineer, { changeRequestId: id, reason: 'Next round' });
      }
    }

    expect(seen.EXECUTED + seen.OPEN).toBe(rounds);
    expect(seen.EXECUTED).toBeGreaterThan(0);
    expect(seen.OPEN).toBeGreaterThan(0);
  },
);
