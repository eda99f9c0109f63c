import { z } from 'zod';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import type { RiskTier } from './use-case.entity.js';

/** A use case as shown. */
export interface UseCaseView {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly purpose: string;
  readonly peopleAffected: string;
  readonly ownerId: string;
  readonly ownerName: string | null;
  readonly riskTier: RiskTier;
  readonly createdAt: Date;
}

const select = `
  select c.id, c.slug, c.name, c.purpose, c.people_affected as "peopleAffected", c.owner_id as "ownerId",
         u.display_name as "ownerName", c.risk_tier as "riskTier", c.created_at as "createdAt"
    from use_case c left join app_user u on u.id = c.owner_id`;

export const listUseCases = defineQuery({
  name: 'useCase.list',
  describe: 'The use cases of the workspace, oldest first.',
  permission: 'useCase:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<UseCaseView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<UseCaseView>(
      `${select} where $1::uuid is null or c.id > $1::uuid order by c.id limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const readUseCase = defineQuery({
  name: 'useCase.read',
  describe: 'One use case.',
  permission: 'useCase:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<UseCaseView> => {
    const [row] = await db.sql<UseCaseView>(`${select} where c.id = $1`, [input.id]);
    if (!row) throw notFound('The use case');
    return row;
  },
});
