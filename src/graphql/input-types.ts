import 'reflect-metadata';
import { GraphQLDateTimeISO, GraphQLJSON } from 'graphql-scalars';
import { ArgsType, Field, Float, ID, InputType, Int, registerEnumType } from 'type-graphql';
import { z } from 'zod';

/**
 * GraphQL inputs are derived from the zod schemas of commands and queries, so that there is one description of an
 * input and no second one to keep true. zod validates once, in the runner; GraphQL gets names and shapes.
 */
export type InputClass = new () => object;

/** How type-graphql is told a type: lazily, because classes may refer to each other. */
export type ReturnTypeFunc = NonNullable<Parameters<typeof Field>[0]>;

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly (string | null)[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly default?: unknown;
  readonly description?: string;
}

interface FieldShape {
  readonly type: ReturnTypeFunc;
  readonly nullable: boolean;
}

const inputClasses = new Map<string, InputClass>();
const enumObjects = new Map<string, object>();

const toJsonSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== 'date') return;
      jsonSchema.type = 'string';
      jsonSchema.format = 'date-time';
    },
  }) as JsonSchema;

const pascal = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** An enum registered once under its name. */
const enumNamed = (name: string, values: readonly string[]): object => {
  const known = enumObjects.get(name);
  if (known) return known;
  const object = Object.fromEntries(values.map((value) => [value, value]));
  registerEnumType(object, { name });
  enumObjects.set(name, object);
  return object;
};

/** The GraphQL enum of a zod enum that carries an id: `z.enum([...]).meta({ id: 'RiskTier' })`. */
export const enumType = (schema: z.ZodEnum): object => {
  const id = schema.meta()?.id;
  if (id === undefined) throw new Error('A GraphQL enum needs a name: add .meta({ id })');
  return enumNamed(id, schema.options.map(String));
};

class Converter {
  constructor(
    readonly owner: string,
    readonly definitions: Readonly<Record<string, JsonSchema>>,
  ) {}

  shapeOf(schema: JsonSchema, path: string): FieldShape {
    if (schema.$ref !== undefined) return this.#reference(schema.$ref);
    if (schema.anyOf) return this.#choice(schema.anyOf, path);
    const types = schema.type === undefined ? [] : [schema.type].flat();
    const nullable = types.includes('null') || (schema.enum?.includes(null) ?? false);
    const solid = types.filter((type) => type !== 'null');
    if (solid.length !== 1) return { type: () => GraphQLJSON, nullable };
    return { type: this.#typeOf(solid[0] ?? '', schema, path), nullable };
  }

  #reference(ref: string): FieldShape {
    const name = ref.slice(ref.lastIndexOf('/') + 1);
    const definition = this.definitions[name];
    if (!definition) throw new Error(`The input of ${this.owner} refers to ${name}, which is not defined`);
    if (definition.enum) {
      const values = definition.enum.filter((value) => value !== null);
      const object = enumNamed(name, values);
      return { type: () => object, nullable: false };
    }
    if (definition.properties) {
      const type = inputClass(name, definition, this.definitions);
      return { type: () => type, nullable: false };
    }
    return this.shapeOf(definition, name);
  }

  #choice(options: readonly JsonSchema[], path: string): FieldShape {
    const solid = options.filter((option) => option.type !== 'null');
    const nullable = solid.length < options.length;
    const [only] = solid;
    if (solid.length === 1 && only) return { type: this.shapeOf(only, path).type, nullable };
    return { type: () => GraphQLJSON, nullable };
  }

  #typeOf(type: string, schema: JsonSchema, path: string): ReturnTypeFunc {
    if (type === 'array') return this.#arrayOf(schema.items ?? {}, path);
    if (type === 'object') return this.#objectOf(schema, path);
    if (type === 'integer') return () => Int;
    if (type === 'number') return () => Float;
    if (type === 'boolean') return () => Boolean;
    return this.#stringOf(schema, path);
  }

  #stringOf(schema: JsonSchema, path: string): ReturnTypeFunc {
    if (schema.enum) {
      const object = enumNamed(
        `${this.owner}${path}`,
        schema.enum.filter((value) => value !== null),
      );
      return () => object;
    }
    if (schema.format === 'uuid') return () => ID;
    if (schema.format === 'date-time') return () => GraphQLDateTimeISO;
    return () => String;
  }

  #arrayOf(items: JsonSchema, path: string): ReturnTypeFunc {
    const { type } = this.shapeOf(items, path);
    return () => [type()] as [ReturnType<ReturnTypeFunc>] as never;
  }

  #objectOf(schema: JsonSchema, path: string): ReturnTypeFunc {
    if (!schema.properties) return () => GraphQLJSON;
    const type = inputClass(`${this.owner}${path}Input`, schema, this.definitions);
    return () => type;
  }
}

const defineFields = (target: InputClass, schema: JsonSchema, converter: Converter): void => {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const { type, nullable } = converter.shapeOf(property, pascal(name));
    const absent = !(schema.required ?? []).includes(name);
    Field(type, {
      nullable: nullable || absent,
      ...(property.default === undefined ? {} : { defaultValue: property.default }),
      ...(property.description === undefined ? {} : { description: property.description }),
    })(target.prototype as object, name);
  }
};

const named = (name: string): InputClass => ({ [name]: class {} })[name] as InputClass;

const inputClass = (
  name: string,
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): InputClass => {
  const known = inputClasses.get(name);
  if (known) return known;
  const created = named(name);
  inputClasses.set(name, created);
  InputType(name)(created);
  defineFields(created, schema, new Converter(name.replace(/Input$/, ''), definitions));
  return created;
};

/** `modelVersion.approve` → `ModelVersionApprove`. */
const ownerOf = (wireName: string): string => wireName.split('.').map(pascal).join('');

/** The input type of a command's only argument. */
export const inputTypeOf = (command: { name: string; input: z.ZodType }): InputClass => {
  const schema = toJsonSchema(command.input);
  return inputClass(`${ownerOf(command.name)}Input`, schema, schema.$defs ?? {});
};

const argsClasses = new Map<string, InputClass>();

/** The arguments of a query, one per field of its input. */
export const argsTypeOf = (query: { name: string; input: z.ZodType }): InputClass => {
  const known = argsClasses.get(query.name);
  if (known) return known;
  const schema = toJsonSchema(query.input);
  const created = named(`${ownerOf(query.name)}Args`);
  argsClasses.set(query.name, created);
  ArgsType()(created);
  defineFields(created, schema, new Converter(ownerOf(query.name), schema.$defs ?? {}));
  return created;
};
