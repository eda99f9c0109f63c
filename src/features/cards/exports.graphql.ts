import { Ctx, Field, Float, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Context } from '../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { cardCompleteness, exportCard, type ExportedCard } from './exports.queries.js';
import { cardFormat } from './exports/index.js';
import type { FrameworkResult } from './frameworks.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const FormatEnum = enumType(cardFormat);

@ObjectType('CardGap', { description: 'Something that a framework asks for and nobody knows.' })
export class CardGapType {
  @Field(() => String, { description: 'The field; for evidence its kind.' })
  name!: string;

  @Field(() => String)
  label!: string;

  @Field(() => String)
  howToFill!: string;
}

@ObjectType('FrameworkRequirement', { description: 'How a card answers to one requirement.' })
export class FrameworkRequirementType {
  @Field(() => String)
  id!: string;

  @Field(() => String, { description: 'In our words.' })
  text!: string;

  @Field(() => Boolean)
  mandatory!: boolean;

  @Field(() => String, { description: 'MET, PARTLY or MISSING.' })
  state!: string;

  @Field(() => [String], { description: 'The fields of the card that answer it.' })
  fields!: string[];

  @Field(() => [ID], { description: 'The evidence that it rests on.' })
  evidence!: string[];

  @Field(() => [CardGapType])
  missing!: CardGapType[];
}

@ObjectType('FrameworkCompleteness', { description: 'How a card answers to a framework.' })
export class FrameworkCompletenessType {
  @Field(() => String)
  framework!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String)
  source!: string;

  @Field(() => Int, { description: 'Of our pack, not of the framework.' })
  edition!: number;

  @Field(() => String, { description: 'Of the pack.' })
  sha256!: string;

  @Field(() => String, { description: 'COMPLETE or INCOMPLETE.' })
  status!: string;

  @Field(() => Float, { description: 'Share of the mandatory requirements that are met.' })
  score!: number;

  @Field(() => Int)
  met!: number;

  @Field(() => Int)
  mandatory!: number;

  @Field(() => [FrameworkRequirementType])
  requirements!: FrameworkRequirementType[];

  @Field(() => [CardGapType], { description: 'What is missing for mandatory requirements, once each.' })
  missingMandatory!: CardGapType[];
}

@ObjectType('ExportedCard', { description: 'A card as a document in a standard form.' })
export class ExportedCardType {
  @Field(() => FormatEnum)
  format!: string;

  @Field(() => String)
  fileName!: string;

  @Field(() => String)
  mediaType!: string;

  @Field(() => String)
  content!: string;

  @Field(() => String, { description: 'Of the content; it stands in the trail.' })
  sha256!: string;

  @Field(() => Int)
  revision!: number;
}

@Resolver()
export class CardExportsResolver {
  @QueryField(cardCompleteness, () => [FrameworkCompletenessType])
  cardCompleteness(
    @QueryArgs(cardCompleteness) args: InputOf<typeof cardCompleteness>,
    @Ctx() { ask, actor }: Context,
  ): Promise<FrameworkResult[]> {
    return ask(cardCompleteness, actor, args);
  }

  @QueryField(exportCard, () => ExportedCardType)
  exportCard(
    @QueryArgs(exportCard) args: InputOf<typeof exportCard>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ExportedCard> {
    return ask(exportCard, actor, args);
  }
}
