/**
 * What a field counts that writes or compares a whole form at once: of the largest forms that takes some 90 ms, in which
 * nothing else runs, and two megabytes. Twelve of them fit into an operation.
 */
export const wholeFormCost = 20_000;
