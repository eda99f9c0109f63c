import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import { z } from 'zod';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import type { Page } from '../../kernel/page.js';
import { updateCard } from './cards.commands.js';
import {
  cardOf,
  compareCards,
  listCardRevisions,
  type CardComparison,
  type RevisionView,
} from './cards.queries.js';
import type { CardView } from './read-card.js';

const fieldSource = z.enum(['AUTO', 'ATTESTED', 'UNKNOWN']).meta({ id: 'CardFieldSource' });

// Registered when the module loads: inside of a field it would come too late for the schema.
const FieldSourceEnum = enumType(fieldSource);

@ObjectType('CardField', { description: 'One field of a model card: its value, and where it comes from.' })
export class CardFieldType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  section!: string;

  @Field(() => String)
  label!: string;

  @Field(() => String)
  help!: string;

  @Field(() => String, { description: 'The shape of its value; see docs/cards.md.' })
  type!: string;

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
  byName!: string | null;

  @Field(() => String, { nullable: true })
  at!: string | null;

  @Field(() => String, { nullable: true, description: 'How it gets a value; null where it has one.' })
  howToFill!: string | null;
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

  @Field(() => GraphQLDateTimeISO, { description: 'The time at which it shows what is known.' })
  at!: Date;

  @Field(() => [CardFieldType])
  fields!: CardFieldType[];

  @Field(() => CardCompletenessType)
  completeness!: CardCompletenessType;
}

@ObjectType('CardRevision', { description: 'One edit of a card.' })
export class CardRevisionType {
  @Field(() => ID)
  id!: string;

  @Field(() => Int)
  revision!: number;

  @Field(() => [String], { description: 'The names of the fields that it changed.' })
  changed!: string[];

  @Field(() => String)
  madeBy!: string;

  @Field(() => String, { nullable: true })
  madeByName!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('CardSide', { description: 'What one of two compared cards says.' })
export class CardSideType {
  @Field(() => GraphQLJSON, { nullable: true })
  value!: unknown;

  @Field(() => FieldSourceEnum)
  source!: string;

  @Field(() => String, { nullable: true })
  by!: string | null;

  @Field(() => String, { nullable: true })
  at!: string | null;
}

@ObjectType('CardDifference', { description: 'One field in which two cards differ.' })
export class CardDifferenceType {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  label!: string;

  @Field(() => Boolean)
  governed!: boolean;

  @Field(() => CardSideType)
  from!: CardSideType;

  @Field(() => CardSideType)
  to!: CardSideType;
}

@ObjectType('CardComparison', { description: 'Two cards, field by field.' })
export class CardComparisonType {
  @Field(() => ModelCardType)
  from!: ModelCardType;

  @Field(() => ModelCardType)
  to!: ModelCardType;

  @Field(() => [CardDifferenceType])
  differences!: CardDifferenceType[];
}

export const CardRevisionPage = pageType('CardRevision', CardRevisionType);

@Resolver()
export class CardsResolver {
  @QueryField(cardOf, () => ModelCardType)
  card(@QueryArgs(cardOf) args: InputOf<typeof cardOf>, @Ctx() { ask, actor }: Context): Promise<CardView> {
    return ask(cardOf, actor, args);
  }

  @QueryField(listCardRevisions, () => CardRevisionPage)
  cardRevisions(
    @QueryArgs(listCardRevisions) args: InputOf<typeof listCardRevisions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<RevisionView>> {
    return ask(listCardRevisions, actor, args);
  }

  @QueryField(compareCards, () => CardComparisonType)
  compareCards(
    @QueryArgs(compareCards) args: InputOf<typeof compareCards>,
    @Ctx() { ask, actor }: Context,
  ): Promise<CardComparison> {
    return ask(compareCards, actor, args);
  }

  @CommandField(updateCard, () => ChangedType)
  updateCard(
    @Input(updateCard) input: InputOf<typeof updateCard>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateCard, actor, input);
  }
}
