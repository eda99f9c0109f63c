import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import { z } from 'zod';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { updateCard } from './cards.commands.js';
import { cardOf } from './cards.queries.js';
import type { CardView } from './read-card.js';

const fieldSource = z.enum(['AUTO', 'ATTESTED', 'UNKNOWN']).meta({ id: 'CardFieldSource' });

// Registered when the module loads: inside of a field it would come too late for the schema.
const FieldSourceEnum = enumType(fieldSource);

@ObjectType('CardField', { description: 'One field of a model card: its value, and where it comes from.' })
export class CardFieldType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  label!: string;

  @Field(() => String)
  help!: string;

  @Field(() => Boolean, { description: 'Whether it is part of what people approve.' })
  governed!: boolean;

  @Field(() => Boolean, { description: 'Whether it is filled by the product and cannot be written.' })
  automatic!: boolean;

  @Field(() => GraphQLJSON, { nullable: true })
  value!: unknown;

  @Field(() => FieldSourceEnum)
  source!: string;

  @Field(() => ID, { nullable: true, description: 'The evidence it rests on.' })
  evidence!: string | null;

  @Field(() => String, { nullable: true })
  by!: string | null;

  @Field(() => String, { nullable: true })
  at!: string | null;
}

@ObjectType('CardCompleteness', { description: 'How much of a card is known.' })
export class CardCompletenessType {
  @Field(() => Int)
  known!: number;

  @Field(() => Int)
  total!: number;

  @Field(() => [String])
  unknown!: string[];

  @Field(() => [String], { description: 'Governed fields that nobody attested.' })
  unknownGoverned!: string[];
}

@ObjectType('ModelCard', { description: 'What is known about a version in a use case.' })
export class ModelCardType {
  @Field(() => ID)
  versionId!: string;

  @Field(() => ID)
  useCaseId!: string;

  @Field(() => Int, { description: '0 until somebody attested something.' })
  revision!: number;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  updatedAt!: Date | null;

  @Field(() => [CardFieldType])
  fields!: CardFieldType[];

  @Field(() => CardCompletenessType)
  completeness!: CardCompletenessType;
}

@Resolver()
export class CardsResolver {
  @QueryField(cardOf, () => ModelCardType)
  card(@QueryArgs(cardOf) args: InputOf<typeof cardOf>, @Ctx() { ask, actor }: Context): Promise<CardView> {
    return ask(cardOf, actor, args);
  }

  @CommandField(updateCard, () => ChangedType)
  updateCard(
    @Input(updateCard) input: InputOf<typeof updateCard>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateCard, actor, input);
  }
}
