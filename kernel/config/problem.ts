/**
 * What is wrong with a config, as data: where, how bad, and a sentence for the owner. Problems are collected, never
 * thrown one by one, so that a file with three mistakes reports three. A sentence never repeats a value that may be secret.
 */

export interface Problem {
  /** An error keeps the config from being used; a warning does not. */
  readonly severity: 'error' | 'warning'
  /** A sentence that names the field and says what is accepted. */
  readonly message: string
  /** The field, as `gateway.port`; empty where it is about the whole file. */
  readonly path: string
  readonly file?: string
  /** Counted from 1, as editors do. */
  readonly line?: number
  readonly column?: number
}

/** `gateway.yaml:4:9: gateway.port takes ...`, in the form editors and terminals make clickable. */
export function describeProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return place === '' ? message : `${place}: ${message}`
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

/** Thrown where a config is needed and there is none that could be used. Names every problem, the errors first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const errors = problems.filter(({ severity }) => severity === 'error')
    super(`The config cannot be used:\n${errors.map((problem) => `  ${describeProblem(problem)}`).join('\n')}`)
    this.problems = problems
  }
}
