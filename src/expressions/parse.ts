import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js';
import { ExpressionFault, faultAt } from './expression-fault.ts';

/** How large one expression may be. What it takes to work one out grows with its size alone, since nothing in it repeats. */
export const expressionLimits = {
  /** Characters of the source. */
  length: 1_000,
  /** Names, values, operators and calls. */
  size: 100,
  /** Parentheses, calls and lists in each other. */
  depth: 20,
} as const;

const parser = new Environment({
  limits: { maxAstNodes: expressionLimits.size, maxDepth: expressionLimits.depth, maxListElements: expressionLimits.size, maxCallArguments: 10 },
});

/** Reads an expression of CEL. Throws ExpressionFault for what is none, or too large. */
export function parseExpression(source: string): ASTNode {
  if (source.trim() === '') throw new ExpressionFault('This must not be blank.');
  if (source.length > expressionLimits.length) {
    throw new ExpressionFault(`At most ${expressionLimits.length} characters; this has ${source.length}.`);
  }
  try {
    return parser.parse(source).ast;
  } catch (error) {
    if (error instanceof ParseError) throw parseFault(source, error);
    throw error;
  }
}

/** The same expression with another name for one of its keys; what else stands in it stays as it is written. */
export function renameKey(source: string, { from, to }: { from: string; to: string }): string {
  const places = [...nodesOf(parseExpression(source))].filter(({ op, args }) => op === 'id' && args === from);
  return places.toSorted((a, b) => b.start - a.start).reduce((text, { start, end }) => text.slice(0, start) + to + text.slice(end), source);
}

/** All parts of an expression, each before its own parts. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const part of partsOf(node)) yield* nodesOf(part);
}

function partsOf(node: ASTNode): ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    case 'list':
    case '?:':
    case '||':
    case '&&':
    case '[]':
    case '[?]':
    case 'in':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return node.args;
  }
}

function parseFault(input: string, { code, summary, range }: ParseError): ExpressionFault {
  if (code === 'limit_exceeded') {
    return new ExpressionFault(`An expression has at most ${expressionLimits.size} names, values and operators, ${expressionLimits.depth} deep in each other; this has more.`);
  }
  const start = range?.start ?? 0;
  return faultAt({ input, start, end: Math.max(start + 1, range?.end ?? start) }, `${summary}. Write a condition in CEL, such as: age >= 18 && city == 'Pune'`);
}
