import { Arg, Args, Mutation, Query } from 'type-graphql';
import type { AnyCommand, Command } from '../kernel/command.js';
import type { AnyQuery, Query as KernelQuery } from '../kernel/query.js';
import type { Recording } from '../kernel/record.js';
import { argsTypeOf, inputTypeOf, type ReturnTypeFunc } from './input-types.js';

/** The input of a command or query, as a resolver receives it. */
export type InputOf<Bound> =
  Bound extends Command<infer Input, unknown>
    ? Input
    : Bound extends KernelQuery<infer Input, unknown>
      ? Input
      : Bound extends Recording<infer Input, unknown>
        ? Input
        : never;

/** Root field → the command or query it is bound to. The schema refuses to build when a root field is not here. */
export const boundFields = new Map<string, AnyCommand | AnyQuery>();

interface FieldOptions {
  readonly nullable?: boolean;
  /** Cost of the field itself; the number of rows multiplies what is inside of lists. */
  readonly complexity?: number;
}

/** A mutation that runs exactly one command. */
export const CommandField =
  (command: AnyCommand, returns: ReturnTypeFunc, options: FieldOptions = {}): MethodDecorator =>
  (target, key, descriptor) => {
    boundFields.set(`Mutation.${String(key)}`, command);
    Mutation(returns, { ...options, description: `${command.describe} Needs \`${command.permission}\`.` })(
      target,
      key,
      descriptor as TypedPropertyDescriptor<unknown>,
    );
  };

/** A mutation that records telemetry: bound to a permission and an input like a command, without a trail per row. */
export const RecordField = (
  recording: AnyCommand,
  returns: ReturnTypeFunc,
  options: FieldOptions = {},
): MethodDecorator => CommandField(recording, returns, options);

/** A root query that asks exactly one query. */
export const QueryField =
  (query: AnyQuery, returns: ReturnTypeFunc, options: FieldOptions = {}): MethodDecorator =>
  (target, key, descriptor) => {
    boundFields.set(`Query.${String(key)}`, query);
    Query(returns, { ...options, description: `${query.describe} Needs \`${query.permission}\`.` })(
      target,
      key,
      descriptor as TypedPropertyDescriptor<unknown>,
    );
  };

/** The `input` argument of a mutation, its type derived from the command. */
export const Input = (command: AnyCommand): ParameterDecorator => {
  const type = inputTypeOf(command);
  return Arg('input', () => type) as ParameterDecorator;
};

/** The arguments of a query, their types derived from its input. */
export const QueryArgs = (query: AnyQuery): ParameterDecorator => {
  const type = argsTypeOf(query);
  return Args(() => type) as ParameterDecorator;
};
