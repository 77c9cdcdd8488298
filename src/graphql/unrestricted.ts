/** Through the owner's connections, which no policy restricts; and not kept, where a later look would find it unasked. */
const asOwner = { connectionType: 'write', disableIdentityMap: true } as const;

/**
 * What `caller.em` reads of any organisation, whoever asks: the whole list. Everything else that it reads outside of a
 * transaction is restricted to the viewer's organisation by the database (see `openTenantReads`).
 */
export const unrestricted = {
  /** Whoever has the id of a form may fill it in, so they may read it, its sections, its questions and their choices. */
  formsById: asOwner,
  /** Who registers, logs in or goes on with a session is nobody yet: accounts are looked for among all. */
  accountsByName: asOwner,
};
