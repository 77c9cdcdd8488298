import { ExpressionFault } from '../expressions/expression-fault.ts';
import type { CompiledExpression } from '../expressions/compile.ts';
import { patternSize } from '../linear-pattern.ts';
import { conditionsOf, createConditionCompiler, type Conditioned } from './conditions.ts';
import type { FormDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { tornSection } from './question-order.ts';
import { localesOf } from './translations.ts';

/** Where a check reports what it finds. */
export interface Check {
  faults: InputFaults;
  /** For what no single question or section is to blame for. */
  path: Path;
  /** For what an edit breaks elsewhere; default: `path`. */
  elsewhere?: Path;
  /** For where questions stand; default: `path`. */
  positionPath?: Path;
  /** Where in the input a question or section stands; undefined: it is not what is edited. */
  pathOf?: (id: string) => Path | undefined;
}

/** Checks a definition as a whole, after any edit, and answers it. What is wrong goes into `faults`. */
export function checkDefinition(definition: FormDefinition, check: Check): FormDefinition {
  const { faults, path } = check;
  const torn = tornSection(definition);
  if (torn) faults.add(check.positionPath ?? path, `The questions of section ${JSON.stringify(torn.title)} must stand next to each other; what stands among them is named with sectionId.`);
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes > formLimits.definitionBytes) {
    faults.add(path, `All questions and choices together take ${bytes} bytes as JSON; at most ${formLimits.definitionBytes} are possible.`);
  }
  const locales = localesOf(definition).length;
  if (locales > formLimits.locales) faults.add(path, `A form is translated into at most ${formLimits.locales} languages; these are ${locales}.`);
  const conditions = compileConditions(definition, check);
  const patterns = definition.questions.reduce((sum, { constraints }) => sum + (constraints?.pattern ? patternSize(constraints.pattern) : 0), 0)
    + total(conditions, ({ patternsSize }) => patternsSize);
  if (patterns > formLimits.patternsSize) {
    faults.add(path, `All patterns of a form together make programs of at most ${formLimits.patternsSize} instructions; these make ${patterns}.`);
  }
  return definition;
}

function compileConditions(definition: FormDefinition, check: Check): CompiledExpression[] {
  const { faults, path } = check;
  const conditions = conditionsOf(definition);
  if (conditions.length > formLimits.conditions) {
    faults.add(path, `A form has at most ${formLimits.conditions} conditions; these are ${conditions.length}.`);
    return [];
  }
  const compile = createConditionCompiler(definition);
  const compiled = conditions.flatMap((condition) => {
    try {
      return [compile(condition)];
    } catch (error) {
      if (!(error instanceof ExpressionFault)) throw error;
      addConditionFault(condition, { reason: error.message, check });
      return [];
    }
  });
  const size = total(compiled, (condition) => condition.size);
  if (size > formLimits.conditionsSize) {
    faults.add(path, `All conditions of a form together have at most ${formLimits.conditionsSize} names, values and operators; these have ${size}.`);
  }
  return compiled;
}

/** The condition of what is edited is at fault itself; that of something else is broken by the edit. */
function addConditionFault({ id, name, source }: Conditioned, { reason, check }: { reason: string; check: Check }): void {
  const { faults, path, elsewhere = path, pathOf } = check;
  const at = pathOf?.(id);
  if (at) return faults.add([...at, 'visibleWhen'], reason);
  const message = `The condition of ${name} (${source}) would not work any more. ${reason} Change or remove that condition first.`;
  return faults.add(elsewhere, message, 'CONDITION_BROKEN');
}

const total = (conditions: readonly CompiledExpression[], of: (condition: CompiledExpression) => number): number =>
  conditions.reduce((sum, condition) => sum + of(condition), 0);
