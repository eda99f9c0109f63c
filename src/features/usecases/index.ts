export { riskTier, UseCase, type RiskTier } from './use-case.entity.js';
export { createUseCase, updateUseCase, useCaseOr404 } from './usecases.commands.js';
