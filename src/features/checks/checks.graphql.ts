import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { evidenceVerdict } from '../evaluations/index.js';
import type { CheckView } from './check-rules.js';
import { checks } from './checks.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const VerdictEnum = enumType(evidenceVerdict);

@ObjectType('Check', {
  description: 'A rule over what is known of a version in a use case, and what it says.',
})
export class CheckType {
  @Field(() => String, { description: 'As a policy asks for it: `fairness-thresholds`.' })
  name!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String, { description: 'What it looks at.' })
  describe!: string;

  @Field(() => VerdictEnum)
  verdict!: string;

  @Field(() => String)
  message!: string;

  @Field(() => [ID])
  evidenceIds!: string[];

  @Field(() => String, { description: 'COMPUTED here, SUBMITTED from elsewhere, or NONE.' })
  provenance!: string;

  @Field(() => String, { description: 'The permission that moves it.' })
  permission!: string;
}

@Resolver()
export class ChecksResolver {
  @QueryField(checks, () => [CheckType])
  checks(
    @QueryArgs(checks) args: InputOf<typeof checks>,
    @Ctx() { ask, actor }: Context,
  ): Promise<readonly CheckView[]> {
    return ask(checks, actor, args);
  }
}
