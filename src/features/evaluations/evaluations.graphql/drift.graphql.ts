import { Ctx, Resolver } from 'type-graphql';
import type { Context } from '../../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import {
  driftSeries,
  listBaselines,
  type BaselineView,
  type DriftSeries,
} from '../evaluations.queries/drift.js';
import { DriftBaselineType, DriftSeriesType } from './drift-types.graphql.js';

@Resolver()
export class DriftResolver {
  @QueryField(listBaselines, () => [DriftBaselineType])
  driftBaselines(
    @QueryArgs(listBaselines) args: InputOf<typeof listBaselines>,
    @Ctx() { ask, actor }: Context,
  ): Promise<BaselineView[]> {
    return ask(listBaselines, actor, args);
  }

  @QueryField(driftSeries, () => DriftSeriesType)
  driftSeries(
    @QueryArgs(driftSeries) args: InputOf<typeof driftSeries>,
    @Ctx() { ask, actor }: Context,
  ): Promise<DriftSeries> {
    return ask(driftSeries, actor, args);
  }
}
