import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { pageType } from '../../graphql/page-type.js';
import { createWorkspace, removeMember, setMemberRoles } from './workspaces.commands.js';
import {
  currentWorkspace,
  listMembers,
  listMyWorkspaces,
  viewer,
  type MemberView,
  type Viewer,
  type WorkspaceView,
} from './workspaces.queries.js';

@ObjectType('Viewer', { description: 'Who you are, and what you may do in the chosen workspace.' })
export class ViewerType {
  @Field(() => String, { description: '`user` or `service`.' })
  kind!: string;

  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => [String])
  roles!: string[];

  @Field(() => ID, { nullable: true })
  workspaceId!: string | null;

  @Field(() => [String])
  permissions!: string[];
}

@ObjectType('Workspace', { description: 'The unit of isolation within an organization.' })
export class WorkspaceType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  slug!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  organization!: string;

  @Field(() => [String], { description: 'Your roles in it.' })
  roles!: string[];
}

@ObjectType('Member', { description: 'A person in a workspace.' })
export class MemberType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String, { description: 'Mentions them in a comment, after an @; it never changes.' })
  handle!: string;

  @Field(() => String)
  name!: string;

  @Field(() => [String])
  roles!: string[];

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

export const WorkspacePage = pageType('Workspace', WorkspaceType);
export const MemberPage = pageType('Member', MemberType);

@Resolver()
export class WorkspacesResolver {
  @QueryField(viewer, () => ViewerType)
  viewer(@Ctx() { ask, actor }: Context): Promise<Viewer> {
    return ask(viewer, actor, {});
  }

  @QueryField(currentWorkspace, () => WorkspaceType)
  workspace(@Ctx() { ask, actor }: Context): Promise<WorkspaceView> {
    return ask(currentWorkspace, actor, {});
  }

  @QueryField(listMyWorkspaces, () => WorkspacePage)
  myWorkspaces(
    @QueryArgs(listMyWorkspaces) args: InputOf<typeof listMyWorkspaces>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<WorkspaceView>> {
    return ask(listMyWorkspaces, actor, args);
  }

  @QueryField(listMembers, () => MemberPage)
  members(
    @QueryArgs(listMembers) args: InputOf<typeof listMembers>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<MemberView>> {
    return ask(listMembers, actor, args);
  }

  @CommandField(createWorkspace, () => ChangedType)
  createWorkspace(
    @Input(createWorkspace) input: InputOf<typeof createWorkspace>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createWorkspace, actor, input);
  }

  @CommandField(setMemberRoles, () => ChangedType)
  setMemberRoles(
    @Input(setMemberRoles) input: InputOf<typeof setMemberRoles>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(setMemberRoles, actor, input);
  }

  @CommandField(removeMember, () => ChangedType)
  removeMember(
    @Input(removeMember) input: InputOf<typeof removeMember>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(removeMember, actor, input);
  }
}
