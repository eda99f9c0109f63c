import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { isPermission } from '../../../kernel/permissions.js';
import { batched, groupBy } from '../../../graphql/batch.js';
import type { Context } from '../../../graphql/context.js';
import { ModelAliasType } from '../../registry/registry.graphql/types.graphql.js';
import { approvalsOf, divergedChanges } from '../approvals.queries/read.js';
import { changeStandings, type Standing } from '../approvals.queries/standing.js';
import { ApprovalType, ChangeRequestType } from './change-request.graphql.js';
import { ChangeStandingType, RequirementType } from './requirement.graphql.js';

const standingOf = (context: Context, id: string): Promise<Standing | undefined> =>
  batched(context, 'changeRequest.standing', id, async (ids) => {
    const rows = await context.ask(changeStandings, context.actor, { ids: [...ids] });
    return new Map(rows.map((row) => [row.id, row]));
  });

@Resolver(() => ChangeRequestType)
export class ChangeRequestFields {
  @FieldResolver(() => [ApprovalType], { description: 'Every decision, void ones included, oldest first.' })
  async approvals(@Root() change: ChangeRequestType, @Ctx() context: Context): Promise<unknown> {
    const approvals = await batched(context, 'changeRequest.approvals', change.id, async (ids) => {
      const rows = await context.ask(approvalsOf, context.actor, { ids: [...ids] });
      return groupBy(ids, rows, (row) => row.changeRequestId);
    });
    return approvals ?? [];
  }

  @FieldResolver(() => ChangeStandingType, {
    nullable: true,
    description: 'What still blocks it, and who can help.',
  })
  standing(@Root() change: ChangeRequestType, @Ctx() context: Context): Promise<unknown> {
    return standingOf(context, change.id);
  }

  @FieldResolver(() => [String], {
    description: 'What you can do: approve, reject, requestChanges, withdrawDecision, withdraw, execute.',
  })
  async viewerCan(@Root() change: ChangeRequestType, @Ctx() context: Context): Promise<readonly string[]> {
    return (await standingOf(context, change.id))?.viewerCan ?? [];
  }
}

@Resolver(() => ModelAliasType)
export class AliasApprovalFields {
  @FieldResolver(() => Boolean, {
    description: 'Whether something is no longer as it was when the change was approved that put it here.',
  })
  async diverged(@Root() alias: ModelAliasType, @Ctx() context: Context): Promise<boolean> {
    const { changeRequestId } = alias;
    if (changeRequestId === null) return false;
    const found = await batched(context, 'changeRequest.diverged', changeRequestId, async (ids) => {
      const diverged = await context.ask(divergedChanges, context.actor, { ids: [...ids] });
      return new Map(diverged.map((id) => [id, true]));
    });
    return found ?? false;
  }
}

@Resolver(() => RequirementType)
export class RequirementFields {
  @FieldResolver(() => [String], { description: 'The roles that can move it.' })
  roles(@Root() requirement: RequirementType, @Ctx() { access }: Context): readonly string[] {
    const { permission, askedRoles } = requirement;
    return permission !== null && isPermission(permission) ? access.holders(permission) : askedRoles;
  }
}
