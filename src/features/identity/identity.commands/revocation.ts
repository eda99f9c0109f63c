import type { Tx } from '../../../kernel/db.js';

/** Whose tokens, or which one. */
export type TokenChoice =
  { readonly id: string } | { readonly userId: string } | { readonly serviceAccountId: string };

const condition = (choice: TokenChoice): readonly [column: string, value: string] => {
  if ('id' in choice) return ['id', choice.id];
  if ('userId' in choice) return ['user_id', choice.userId];
  return ['service_account_id', choice.serviceAccountId];
};

/** Revokes tokens and all that were made with them; returns the ids of those that were not revoked before. */
export const revokeTokensOf = async (tx: Tx, choice: TokenChoice, now: Date): Promise<string[]> => {
  const [column, value] = condition(choice);
  const rows = await tx.sql<{ id: string }>(
    `with recursive family as (
       select id from api_token where ${column} = $1
       union select child.id from api_token child join family on child.parent_id = family.id
     )
     update api_token set revoked_at = $2
      where id in (select id from family) and revoked_at is null returning id`,
    [value, now],
  );
  return rows.map((row) => row.id);
};
