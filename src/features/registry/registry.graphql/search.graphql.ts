import { Ctx, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import type { Context } from '../../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import type { ModelView, VersionView } from '../registry.queries.js';
import { searchModels, searchVersions } from '../search.queries.js';
import { ModelPage, ModelVersionPage } from './types.graphql.js';

@Resolver()
export class SearchResolver {
  @QueryField(searchModels, () => ModelPage)
  searchModels(
    @QueryArgs(searchModels) args: InputOf<typeof searchModels>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ModelView>> {
    return ask(searchModels, actor, args);
  }

  @QueryField(searchVersions, () => ModelVersionPage)
  searchModelVersions(
    @QueryArgs(searchVersions) args: InputOf<typeof searchVersions>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<VersionView>> {
    return ask(searchVersions, actor, args);
  }
}
