import { Field, ObjectType } from 'type-graphql';
import type { Page } from '../kernel/page.js';

/** Where a page ends and whether there is more. */
@ObjectType('PageInfo')
export class PageInfoType {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Give it as `after` to get the next page.' })
  endCursor!: string | null;
}

type NodeClass<Node> = abstract new () => Node;

/** The page type of a node type: `pageType('Model', ModelType)` makes `ModelPage`. */
export const pageType = <Node extends object>(name: string, node: NodeClass<Node>): new () => Page<Node> => {
  @ObjectType(`${name}Page`)
  class PageOfNodes {
    @Field(() => [node])
    nodes!: Node[];

    @Field(() => PageInfoType)
    pageInfo!: PageInfoType;
  }
  return PageOfNodes;
};
