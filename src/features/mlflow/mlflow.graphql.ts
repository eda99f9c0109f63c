import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { importArtifacts, importItemKind, importOutcome, importState } from './mlflow.commands/imports.js';
import { startMlflowImport } from './mlflow.commands/start-import.js';
import { copyOfVersion, type Copy } from './mlflow.queries/copies.js';
import {
  importById,
  listMlflowImportItems,
  listMlflowImports,
  type ImportItemView,
  type ImportView,
} from './mlflow.queries/imports.js';

// Enums that no input uses are made known before the schema is built.
const states = enumType(importState);
const kinds = enumType(importItemKind);
const outcomes = enumType(importOutcome);

@ObjectType('MlflowImportStarted', { description: 'The import, and the job under which it can be watched.' })
class StartedType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  jobId!: string;
}

@ObjectType('MlflowImport', { description: 'An import from another MLflow server.' })
class ImportType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  address!: string;

  @Field(() => enumType(importArtifacts))
  artifacts!: string;

  @Field(() => states)
  state!: string;

  @Field(() => String)
  message!: string;

  @Field(() => GraphQLJSON, { description: 'MODEL_IMPORTED, VERSION_SAME, ALIAS_ASKED_FOR and so on.' })
  counts!: object;

  @Field(() => String)
  startedBy!: string;

  @Field(() => GraphQLDateTimeISO)
  startedAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;
}

@ObjectType('MlflowImportItem', { description: 'What an import did or left, and why.' })
class ItemType {
  @Field(() => ID)
  id!: string;

  @Field(() => kinds)
  kind!: string;

  @Field(() => String)
  name!: string;

  @Field(() => outcomes)
  outcome!: string;

  @Field(() => String)
  reason!: string;

  @Field(() => GraphQLDateTimeISO)
  notedAt!: Date;
}

@ObjectType('UpstreamCopy', {
  description: 'What another MLflow server told of a version, as it was told there.',
})
class CopyType {
  @Field(() => String)
  address!: string;

  @Field(() => String, { description: 'NONE, PENDING, KEPT, ELSEWHERE or FAILED.' })
  files!: string;

  @Field(() => GraphQLJSON, {
    description: 'Times (milliseconds), user, source, stage, aliases and run there.',
  })
  facts!: object;
}

const ImportPage = pageType('MlflowImport', ImportType);
const ItemPage = pageType('MlflowImportItem', ItemType);

/** Imports from other MLflow servers. */
@Resolver()
export class MlflowResolver {
  @CommandField(startMlflowImport, () => StartedType)
  startMlflowImport(
    @Input(startMlflowImport) input: InputOf<typeof startMlflowImport>,
    @Ctx() { run, actor }: Context,
  ): Promise<StartedType> {
    return run(startMlflowImport, actor, input);
  }

  @QueryField(importById, () => ImportType)
  mlflowImport(
    @QueryArgs(importById) args: InputOf<typeof importById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ImportView> {
    return ask(importById, actor, args);
  }

  @QueryField(listMlflowImports, () => ImportPage)
  mlflowImports(
    @QueryArgs(listMlflowImports) args: InputOf<typeof listMlflowImports>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ImportView>> {
    return ask(listMlflowImports, actor, args);
  }

  @QueryField(listMlflowImportItems, () => ItemPage)
  mlflowImportItems(
    @QueryArgs(listMlflowImportItems) args: InputOf<typeof listMlflowImportItems>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ImportItemView>> {
    return ask(listMlflowImportItems, actor, args);
  }

  @QueryField(copyOfVersion, () => CopyType, { nullable: true })
  upstreamCopy(
    @QueryArgs(copyOfVersion) args: InputOf<typeof copyOfVersion>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Copy | null> {
    return ask(copyOfVersion, actor, args);
  }
}
