import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { pageType } from '../../graphql/page-type.js';
import {
  createApiToken,
  createPersonalToken,
  revokeApiToken,
  revokePersonalToken,
  type IssuedToken,
} from './identity.commands/api-tokens.js';
import { addMember, disableUser, enableUser } from './identity.commands/people.js';
import { createRoleRule, deleteRoleRule } from './identity.commands/role-rules.js';
import { createServiceAccount, disableServiceAccount } from './identity.commands/service-accounts.js';
import { endSession } from './identity.commands/sessions.js';
import {
  listApiTokens,
  listMySessions,
  listMyTokens,
  listRoleRules,
  listServiceAccounts,
  type ApiTokenView,
  type RoleRuleView,
  type ServiceAccountView,
  type SessionView,
} from './identity.queries.js';

@ObjectType('Session', { description: 'A place where you are signed in.' })
export class SessionType {
  @Field(() => ID)
  id!: string;

  @Field(() => Boolean, { description: 'Whether it is the one you are using.' })
  current!: boolean;

  @Field(() => String, { nullable: true, description: 'What the browser says it is.' })
  userAgent!: string | null;

  @Field(() => GraphQLDateTimeISO, {
    description: 'When you last proved who you are at the identity provider.',
  })
  authenticatedAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { description: 'Written at most once a minute.' })
  lastSeenAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  expiresAt!: Date;
}

@ObjectType('RoleRule', { description: 'Who is in this group at the identity provider has this role here.' })
export class RoleRuleType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  group!: string;

  @Field(() => String)
  role!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('ServiceAccount', { description: 'A machine that acts by its API tokens.' })
export class ServiceAccountType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  description!: string;

  @Field(() => [String])
  roles!: string[];

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  disabledAt!: Date | null;
}

@ObjectType('ApiToken', {
  description: 'A credential of a service account or a person; its secret is not kept.',
})
export class ApiTokenType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'How the token begins.' })
  prefix!: string;

  @Field(() => ID, { nullable: true })
  serviceAccountId!: string | null;

  @Field(() => ID, { nullable: true })
  userId!: string | null;

  @Field(() => [String], { nullable: true, description: 'Null: all that its holder may.' })
  scopes!: string[] | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO)
  expiresAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  revokedAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Written at most once a minute.' })
  lastUsedAt!: Date | null;
}

@ObjectType('IssuedToken', { description: 'A new token. Keep the secret now: it is not shown again.' })
export class IssuedTokenType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  secret!: string;

  @Field(() => String)
  prefix!: string;

  @Field(() => GraphQLDateTimeISO)
  expiresAt!: Date;
}

export const SessionPage = pageType('Session', SessionType);
export const RoleRulePage = pageType('RoleRule', RoleRuleType);
export const ServiceAccountPage = pageType('ServiceAccount', ServiceAccountType);
export const ApiTokenPage = pageType('ApiToken', ApiTokenType);

@Resolver()
export class IdentityQueriesResolver {
  @QueryField(listMySessions, () => SessionPage)
  mySessions(
    @QueryArgs(listMySessions) args: InputOf<typeof listMySessions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<SessionView>> {
    return ask(listMySessions, actor, args);
  }

  @QueryField(listRoleRules, () => RoleRulePage)
  roleRules(
    @QueryArgs(listRoleRules) args: InputOf<typeof listRoleRules>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<RoleRuleView>> {
    return ask(listRoleRules, actor, args);
  }

  @QueryField(listServiceAccounts, () => ServiceAccountPage)
  serviceAccounts(
    @QueryArgs(listServiceAccounts) args: InputOf<typeof listServiceAccounts>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ServiceAccountView>> {
    return ask(listServiceAccounts, actor, args);
  }

  @QueryField(listApiTokens, () => ApiTokenPage)
  apiTokens(
    @QueryArgs(listApiTokens) args: InputOf<typeof listApiTokens>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ApiTokenView>> {
    return ask(listApiTokens, actor, args);
  }

  @QueryField(listMyTokens, () => ApiTokenPage)
  myTokens(
    @QueryArgs(listMyTokens) args: InputOf<typeof listMyTokens>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ApiTokenView>> {
    return ask(listMyTokens, actor, args);
  }
}

@Resolver()
export class IdentityCommandsResolver {
  @CommandField(endSession, () => ChangedType)
  endSession(
    @Input(endSession) input: InputOf<typeof endSession>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(endSession, actor, input);
  }

  @CommandField(addMember, () => ChangedType)
  addMember(
    @Input(addMember) input: InputOf<typeof addMember>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(addMember, actor, input);
  }

  @CommandField(disableUser, () => ChangedType)
  disableUser(
    @Input(disableUser) input: InputOf<typeof disableUser>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(disableUser, actor, input);
  }

  @CommandField(enableUser, () => ChangedType)
  enableUser(
    @Input(enableUser) input: InputOf<typeof enableUser>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(enableUser, actor, input);
  }

  @CommandField(createRoleRule, () => ChangedType)
  createRoleRule(
    @Input(createRoleRule) input: InputOf<typeof createRoleRule>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createRoleRule, actor, input);
  }

  @CommandField(deleteRoleRule, () => ChangedType)
  deleteRoleRule(
    @Input(deleteRoleRule) input: InputOf<typeof deleteRoleRule>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteRoleRule, actor, input);
  }

  @CommandField(createServiceAccount, () => ChangedType)
  createServiceAccount(
    @Input(createServiceAccount) input: InputOf<typeof createServiceAccount>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createServiceAccount, actor, input);
  }

  @CommandField(disableServiceAccount, () => ChangedType)
  disableServiceAccount(
    @Input(disableServiceAccount) input: InputOf<typeof disableServiceAccount>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(disableServiceAccount, actor, input);
  }

  @CommandField(createApiToken, () => IssuedTokenType)
  createApiToken(
    @Input(createApiToken) input: InputOf<typeof createApiToken>,
    @Ctx() { run, actor }: Context,
  ): Promise<IssuedToken> {
    return run(createApiToken, actor, input);
  }

  @CommandField(createPersonalToken, () => IssuedTokenType)
  createPersonalToken(
    @Input(createPersonalToken) input: InputOf<typeof createPersonalToken>,
    @Ctx() { run, actor }: Context,
  ): Promise<IssuedToken> {
    return run(createPersonalToken, actor, input);
  }

  @CommandField(revokeApiToken, () => ChangedType)
  revokeApiToken(
    @Input(revokeApiToken) input: InputOf<typeof revokeApiToken>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(revokeApiToken, actor, input);
  }

  @CommandField(revokePersonalToken, () => ChangedType)
  revokePersonalToken(
    @Input(revokePersonalToken) input: InputOf<typeof revokePersonalToken>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(revokePersonalToken, actor, input);
  }
}
