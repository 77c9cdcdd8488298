/** Why a request of a batch cannot be done. The batch says which one it was. */
export class InvalidRequest extends Error {}
