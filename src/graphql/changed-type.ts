import { Field, ID, ObjectType } from 'type-graphql';

/** The answer of a mutation that has nothing more to say than what it changed. */
@ObjectType('Changed', { description: 'What was changed.' })
export class ChangedType {
  @Field(() => ID)
  id!: string;
}
