import { PARAMETERS } from '#libs/model'

/**
 * The unit that a point without one has. Stored points depend on it: should a parameter's unit in the model ever change, the old one
 * must stay here (usual.spec.ts holds the list).
 */
const UNITS_OF_POINTS: ReadonlyMap<string, string> = new Map(PARAMETERS.map(({ code, unit }) => [code, unit]))

export const usualUnit = (parameter: string): string | undefined => UNITS_OF_POINTS.get(parameter)

export const USUAL = { flag: 1, status: '00', revision: 0, road: 'mqtt' } as const
