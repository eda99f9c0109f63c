import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { enumType } from '../../../graphql/input-types.js';
import { lineageEdgeKind, lineageNodeKind } from '../lineage-graph/graph.js';
import { readLineage, type LineageView } from '../lineage-graph/walk.js';

const NodeKindEnum = enumType(lineageNodeKind);
const EdgeKindEnum = enumType(lineageEdgeKind);

@ObjectType('LineageNode', { description: 'One thing of a lineage.' })
export class LineageNodeType {
  @Field(() => String, { description: 'Unique in the graph; edges name it.' })
  key!: string;

  @Field(() => NodeKindEnum)
  kind!: string;

  @Field(() => String)
  label!: string;

  @Field(() => ID, { nullable: true, description: 'Of the version, data, alias or endpoint.' })
  id!: string | null;

  @Field(() => Boolean, { description: 'Whether only its tombstone is left.' })
  deleted!: boolean;
}

@ObjectType('LineageEdge', { description: '`to` came from `from`, or is found by it.' })
export class LineageEdgeType {
  @Field(() => String)
  from!: string;

  @Field(() => String)
  to!: string;

  @Field(() => EdgeKindEnum)
  kind!: string;

  @Field(() => String, { description: 'What data was used for, or the path of a member.' })
  label!: string;
}

@ObjectType('LineageGraph', { description: 'Where a version comes from and what uses it.' })
export class LineageGraphType {
  @Field(() => String)
  root!: string;

  @Field(() => [LineageNodeType])
  nodes!: readonly LineageNodeType[];

  @Field(() => [LineageEdgeType])
  edges!: readonly LineageEdgeType[];

  @Field(() => Boolean, { description: 'Whether there is more than was asked for.' })
  truncated!: boolean;
}

@Resolver()
export class LineageResolver {
  @QueryField(readLineage, () => LineageGraphType)
  lineage(
    @QueryArgs(readLineage) args: InputOf<typeof readLineage>,
    @Ctx() { ask, actor }: Context,
  ): Promise<LineageView> {
    return ask(readLineage, actor, args);
  }
}
