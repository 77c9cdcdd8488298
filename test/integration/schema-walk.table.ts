import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import type { Things } from '../support/walk-world.ts';

/**
 * Who sees and does what, of the whole schema: the things are one organisation's, and those who ask stand in
 * test/support/walk-world.ts. Whoever adds a field that leads to an object, or a mutation, adds its row.
 *
 * Reads, compared with what the owner of the things is answered:
 * all: the same · some: a part, or another part · own: things, and none of this organisation's · none: null or an empty
 * list · -: not even the object that the field belongs to
 *
 * Mutations:
 * ok: done, and the organisation's rows are changed · own: done, and they are not
 *
 * Both: U, F, N, X, I: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, INVALID_INPUT, INVITATION_INVALID; after a refusal the rows
 * are unchanged
 */
export const table = `
                                         stranger other former owner editor viewer granted ungranted rw   rr   fw   iw   op
  Query.apiKeys                          U        own   F      all   F      F      F       F         F    F    F    F    F
  Query.delivery                         none     none  none   all   all    all    none    none      none none none none all
  Query.form                             all      all   all    all   all    all    all     all       all  all  all  all  all
  Query.forms                            U        own   F      all   all    all    some    some      all  all  all  all  all
  Query.me                               none     own   own    all   some   some   some    some      none none none none none
  Query.organization                     none     own   none   all   all    all    all     all       all  all  all  all  all
  Query.providers                        all      all   all    all   all    all    all     all       all  all  all  all  all
  Query.reconcile                        U        N     F      all   all    all    all     N         F    F    F    F    all
  Query.response                         none     none  none   all   all    all    none    none      none all  none none none

  node(Answer)                           none     none  none   all   all    all    none    none      none all  none none none
  node(ApiKey)                           none     none  none   all   none   none   none    none      none none none none none
  node(Choice)                           all      all   all    all   all    all    all     all       all  all  all  all  all
  node(Delivery)                         none     none  none   all   all    all    none    none      none none none none all
  node(Delivery/own)                     none     none  none   all   all    all    all     none      none none none none all
  node(Form)                             all      all   all    all   all    all    all     all       all  all  all  all  all
  node(FormVersion)                      none     none  none   all   all    all    all     none      all  all  all  all  all
  node(Integration)                      none     none  none   all   all    all    none    none      none none none all  all
  node(Integration/own)                  none     none  none   all   all    all    all     none      none none none all  all
  node(Invitation)                       none     none  none   all   none   none   none    none      none none none none none
  node(Job)                              none     none  none   all   all    all    none    none      none none none all  all
  node(Member)                           none     none  none   all   all    all    none    none      none none none none none
  node(Organization)                     none     none  none   all   all    all    all     all       all  all  all  all  all
  node(Question)                         all      all   all    all   all    all    all     all       all  all  all  all  all
  node(Question/removed)                 none     none  none   all   all    all    all     none      all  all  all  all  all
  node(Replay)                           none     none  none   all   all    all    none    none      none none none none all
  node(Response)                         none     none  none   all   all    all    none    none      none all  none none none
  node(Review)                           none     none  none   all   all    all    none    none      none all  none none none
  node(Section)                          all      all   all    all   all    all    all     all       all  all  all  all  all
  node(User)                             none     none  none   all   all    all    none    none      none none none none none

  Organization.invitations               -        -     -      all   F      F      F       F         F    F    F    F    F
  Organization.members                   -        -     -      all   all    all    F       F         F    F    F    F    F

  User.memberships                       -        -     -      all   none   none   -       -         -    -    -    -    -
  User.organization                      -        -     -      all   all    all    -       -         -    -    -    -    -

  Member.forms                           -        -     -      all   all    all    -       -         -    -    -    -    -
  Member.organization                    -        -     -      all   all    all    -       -         -    -    -    -    -
  Member.user                            -        -     -      all   all    all    -       -         -    -    -    -    -

  Invitation.forms                       -        -     -      all   -      -      -       -         -    -    -    -    -
  Invitation.invitedBy                   -        -     -      all   -      -      -       -         -    -    -    -    -

  ApiKey.createdBy                       -        -     -      all   -      -      -       -         -    -    -    -    -

  Form.changes                           U        F     F      all   all    all    all     F         all  all  all  all  all
  Form.deadLetters                       U        F     F      all   all    all    some    F         F    F    F    F    all
  Form.deliveries                        U        F     F      all   all    all    some    F         F    F    F    F    all
  Form.integrations                      U        F     F      all   all    all    some    F         F    F    F    all  all
  Form.owner                             none     none  none   all   all    all    none    none      none none none none none
  Form.questions                         all      all   all    all   all    all    all     all       all  all  all  all  all
  Form.replays                           U        F     F      all   all    all    F       F         F    F    F    F    all
  Form.responses                         U        F     F      all   all    all    F       F         F    all  F    F    F
  Form.sections                          all      all   all    all   all    all    all     all       all  all  all  all  all
  Form.versionByNumber                   U        F     F      all   all    all    all     F         all  all  all  all  all
  Form.versions                          U        F     F      all   all    all    all     F         all  all  all  all  all

  FormVersion.createdBy                  -        -     -      all   all    all    none    -         none none none none none
  FormVersion.form                       -        -     -      all   all    all    all     -         all  all  all  all  all
  FormVersion.questions                  -        -     -      all   all    all    all     -         all  all  all  all  all

  Section.questions                      all      all   all    all   all    all    all     all       all  all  all  all  all

  Question.answers                       U        F     F      all   all    all    F       F         F    all  F    F    F
  Question.choices                       all      all   all    all   all    all    all     all       all  all  all  all  all
  Question.section                       all      all   all    all   all    all    all     all       all  all  all  all  all
  Question/removed.answers               -        -     -      all   all    all    F       -         F    all  F    F    F
  Question/removed.choices               -        -     -      all   all    all    all     -         all  all  all  all  all
  Question/removed.section               -        -     -      none  none   none   none    -         none none none none none

  Response.amendedBy                     -        -     -      none  none   none   -       -         -    none -    -    -
  Response.answers                       -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.collector                     -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.deliveries                    -        -     -      all   all    all    -       -         -    F    -    -    -
  Response.erasedBy                      -        -     -      none  none   none   -       -         -    none -    -    -
  Response.flags                         -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.form                          -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.pipeline                      -        -     -      all   all    all    -       -         -    F    -    -    -
  Response.respondent                    -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.reviews                       -        -     -      all   all    all    -       -         -    all  -    -    -
  Response.revisions                     -        -     -      all   all    all    -       -         -    all  -    -    -
  Response/amended.amendedBy             -        -     -      all   all    all    -       -         -    none -    -    -
  Response/erased.erasedBy               -        -     -      all   all    all    -       -         -    none -    -    -
  Response/submitted.amendedBy           none     none  none   none  none   none   none    none      none F    F    F    F
  Response/submitted.answers             all      all   all    all   all    all    all     all       all  F    F    F    F
  Response/submitted.collector           all      all   all    all   all    all    all     all       all  F    F    F    F
  Response/submitted.deliveries          U        F     F      all   all    all    some    F         F    F    F    F    F
  Response/submitted.erasedBy            none     none  none   none  none   none   none    none      none F    F    F    F
  Response/submitted.flags               all      all   all    all   all    all    all     all       all  F    F    F    F
  Response/submitted.form                all      all   all    all   all    all    all     all       all  F    F    F    F
  Response/submitted.pipeline            U        F     F      all   all    all    some    F         F    F    F    F    F
  Response/submitted.respondent          all      all   all    all   all    all    all     all       all  F    F    F    F
  Response/submitted.reviews             U        F     F      all   all    all    F       F         F    F    F    F    F
  Response/submitted.revisions           U        F     F      all   all    all    F       F         F    F    F    F    F

  ResponseEvent.event                    U        F     F      all   all    all    F       F         F    all  F    F    F
  ResponseEvent.response                 U        F     F      all   all    all    F       F         F    all  F    F    F

  DeliveryChange.delivery                U        F     F      all   all    all    some    F         F    F    F    F    all

  Subscription.deliveryChanged           U        F     F      all   all    all    some    F         F    F    F    F    all
  Subscription.replayChanged             U        N     F      all   all    all    F       F         F    F    F    F    all
  Subscription.responseChanged           U        F     F      all   all    all    F       F         F    all  F    F    F
  Subscription.responseCreated           U        F     F      all   all    all    F       F         F    all  F    F    F

  Review.by                              -        -     -      all   all    all    -       -         -    none -    -    -

  Answer.choices                         -        -     -      all   all    all    -       -         -    all  -    -    -
  Answer.question                        -        -     -      all   all    all    -       -         -    all  -    -    -
  Answer.response                        -        -     -      all   all    all    -       -         -    all  -    -    -

  Job.differences                        -        -     -      all   all    all    -       -         -    -    -    all  all
  Job.integration                        -        -     -      all   all    all    -       -         -    -    -    all  all

  Replay.form                            -        -     -      all   all    all    -       -         -    -    -    -    all
  Replay.jobs                            -        -     -      all   all    all    -       -         -    -    -    -    all

  Integration.deadLetters                -        -     -      all   all    all    -       -         -    -    -    F    all
  Integration.form                       -        -     -      all   all    all    -       -         -    -    -    all  all
  Integration.jobs                       -        -     -      all   all    all    -       -         -    -    -    all  all
  Integration.partner                    -        -     -      none  none   none   -       -         -    -    -    none none
  Integration.settings                   -        -     -      all   all    some   -       -         -    -    -    all  some
  Integration/own.deadLetters            -        -     -      all   all    all    all     -         -    -    -    F    all
  Integration/own.form                   -        -     -      all   all    all    all     -         -    -    -    all  all
  Integration/own.jobs                   -        -     -      all   all    all    none    -         -    -    -    all  all
  Integration/own.partner                -        -     -      all   all    all    all     -         -    -    -    none none
  Integration/own.settings               -        -     -      all   all    some   all     -         -    -    -    all  some

  Delivery.attempts                      -        -     -      all   all    all    -       -         -    -    -    -    all
  Delivery.event                         -        -     -      all   all    all    -       -         -    -    -    -    all
  Delivery.integration                   -        -     -      all   all    all    -       -         -    -    -    -    all
  Delivery.redeliveredByUser             -        -     -      all   all    all    -       -         -    -    -    -    none
  Delivery.tracking                      -        -     -      all   all    all    -       -         -    -    -    -    all
  Delivery.response                      -        -     -      all   all    all    -       -         -    -    -    -    none
  Delivery/own.attempts                  -        -     -      all   all    all    all     -         -    -    -    -    all
  Delivery/own.event                     -        -     -      all   all    all    all     -         -    -    -    -    all
  Delivery/own.integration               -        -     -      all   all    all    all     -         -    -    -    -    all
  Delivery/own.redeliveredByUser         -        -     -      all   all    all    none    -         -    -    -    -    none
  Delivery/own.tracking                  -        -     -      all   all    all    all     -         -    -    -    -    all
  Delivery/own.response                  -        -     -      all   all    all    none    -         -    -    -    -    none

  Mutation.register                      own      own   own    own   own    own    own     own       own  own  own  own  own
  Mutation.login                         own      own   own    own   own    own    own     own       own  own  own  own  own
  Mutation.refreshSession                own      own   own    own   own    own    own     own       own  own  own  own  own
  Mutation.logout                        U        own   own    own   own    own    own     own       F    F    F    F    F
  Mutation.changePassword                U        own   own    ok    ok     ok     ok      ok        F    F    F    F    F
  Mutation.switchOrganization            U        N     N      own   own    own    own     own       F    F    F    F    F
  Mutation.inviteMember                  U        N     F      ok    F      F      F       F         F    F    F    F    F
  Mutation.revokeInvitation              U        N     F      ok    F      F      F       F         F    F    F    F    F
  Mutation.acceptInvitation              U        I     I      I     I      I      I       I         F    F    F    F    F
  Mutation.changeMember                  U        N     F      ok    F      F      F       F         F    F    F    F    F
  Mutation.removeMember                  U        N     F      ok    F      F      F       F         F    F    F    F    F
  Mutation.createApiKey                  U        own   F      ok    F      F      F       F         F    F    F    F    F
  Mutation.revokeApiKey                  U        N     F      ok    F      F      F       F         F    F    F    F    F
  Mutation.createForm                    U        own   F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.updateForm                    U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.deleteForm                    U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.duplicateForm                 U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.importForm                    U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.addQuestion                   U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.updateQuestion                U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.removeQuestion                U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.reorderQuestions              U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.addSection                    U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.updateSection                 U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.removeSection                 U        N     F      ok    ok     F      F       F         F    F    ok   F    F
  Mutation.submitResponse                ok       ok    ok     ok    ok     ok     ok      ok        ok   F    F    F    F
  Mutation.amendResponse                 U        N     F      ok    ok     F      F       F         ok   F    F    F    F
  Mutation.eraseResponse                 U        N     F      ok    ok     F      F       F         F    F    F    F    F
  Mutation.setReviewState                U        N     F      ok    ok     F      F       F         F    F    F    F    F
  Mutation.submitResponses               ok       ok    ok     ok    ok     ok     ok      ok        ok   F    F    F    F
  Mutation.createIntegration             U        N     F      ok    ok     F      ok      N         F    F    F    ok   F
  Mutation.createIntegration/everywhere  U        own   F      ok    ok     F      X       X         F    F    F    ok   F
  Mutation.updateIntegration             U        N     F      ok    ok     F      N       N         F    F    F    ok   F
  Mutation.updateIntegration/own         U        N     F      ok    ok     F      ok      N         F    F    F    ok   F
  Mutation.rotateSecret                  U        N     F      ok    ok     F      N       N         F    F    F    ok   F
  Mutation.rotateSecret/own              U        N     F      ok    ok     F      ok      N         F    F    F    ok   F
  Mutation.deleteIntegration             U        N     F      ok    ok     F      N       N         F    F    F    ok   F
  Mutation.deleteIntegration/own         U        N     F      ok    ok     F      ok      N         F    F    F    ok   F
  Mutation.testRules                     U        N     F      own   own    F      F       F         F    F    F    F    F
  Mutation.startBackfill                 U        N     F      ok    ok     F      F       F         F    F    F    F    ok
  Mutation.cancelBackfill                U        N     F      ok    ok     F      F       F         F    F    F    F    ok
  Mutation.verifySheet                   U        N     F      ok    ok     F      F       F         F    F    F    F    ok
  Mutation.previewIntegration            U        N     F      own   own    F      own     N         F    F    F    own  F
  Mutation.previewIntegration/response   U        N     F      own   own    F      F       F         F    F    F    F    F
  Mutation.redeliver                     U        N     F      ok    ok     F      N       N         F    F    F    F    ok
  Mutation.redeliver/own                 U        N     F      ok    ok     F      ok      N         F    F    F    F    ok
  Mutation.redeliver/found               U        own   F      ok    ok     F      ok      own       F    F    F    F    ok
  Mutation.repairMissing                 U        N     F      ok    ok     F      ok      N         F    F    F    F    ok
  Mutation.previewReplay                 U        N     F      own   own    F      F       F         F    F    F    F    own
  Mutation.startReplay                   U        X     F      ok    X      F      F       F         F    F    F    F    ok
  Mutation.pauseReplay                   U        N     F      ok    ok     F      F       F         F    F    F    F    ok
  Mutation.cancelReplay                  U        N     F      ok    ok     F      F       F         F    F    F    F    ok
  Mutation.resumeReplay                  U        N     F      ok    ok     F      F       F         F    F    F    F    ok
`;

/**
 * Things of one type that are not the same to everybody, beside the plain one: each has rows of its own.
 * `own`: the granted partner's · `removed`: is not asked any more · `submitted`: as who submits gets it back
 *
 * Any other word after a type names a further example below, for single rows that need one.
 */
export const variants: Record<string, readonly string[]> = {
  Integration: ['own'],
  Delivery: ['own'],
  Question: ['removed'],
  Response: ['submitted'],
};

/** Objects that are part of what they stand in, as a text would be: whoever sees that, sees them and what they name. */
export const parts: readonly string[] = ['Translation', 'FormChange', 'FieldChange', 'JobDifference', 'DeadLetters', 'DeadRedrive', 'Reconciliation', 'ReconciledIntegration', 'MissingDelivery', 'RuleCount', 'TestedResponse', 'RuleFinding', 'ReplayAction', 'ReplayEndpoint', 'ReplayPreview'];

/** An example of each kind of node; of a variant as `Type/variant`. */
export const nodes: Record<string, (things: Things) => string> = {
  Organization: ({ organizationId }) => organizationId,
  User: ({ userId }) => userId,
  Member: ({ memberId }) => memberId,
  Invitation: ({ invitationId }) => invitationId,
  ApiKey: ({ apiKeyId }) => apiKeyId,
  Form: ({ formId }) => formId,
  Question: ({ questionId }) => questionId,
  'Question/removed': ({ removedQuestionId }) => removedQuestionId,
  FormVersion: ({ formId }) => `ver_${formId.slice(5)}0000000001`,
  Section: ({ sectionId }) => sectionId,
  Choice: ({ choiceId }) => choiceId,
  Response: ({ responseId }) => responseId,
  'Response/amended': ({ amendedResponseId }) => amendedResponseId,
  'Response/erased': ({ erasedResponseId }) => erasedResponseId,
  Review: ({ reviewId }) => reviewId,
  Answer: ({ answerId }) => answerId,
  Integration: ({ integrationId }) => integrationId,
  'Integration/own': ({ ownIntegrationId }) => ownIntegrationId,
  Job: ({ jobId }) => jobId,
  Replay: ({ replayId }) => replayId,
  Delivery: ({ deliveryId }) => deliveryId,
  'Delivery/own': ({ ownDeliveryId }) => ownDeliveryId,
};

/** A cursor that everything comes after. */
const beforeAll = encodeCursor(positionKey(0));
const beforeAllDeliveries = encodeCursor(positionKey(0, 'deliveryChanges'));

/** Objects that are reached otherwise than by `node`: an operation around `SELECTION`, and where in its answer they are. */
export const doors: Record<string, { operation: string; input?: (things: Things) => object; variables?: (things: Things) => object; path: readonly string[] }> = {
  Query: { operation: '{ SELECTION }', path: [] },
  Subscription: { operation: 'subscription { SELECTION }', path: [] },
  ResponseEvent: {
    operation: 'subscription ($formId: ID!, $after: String) { responseCreated(formId: $formId, after: $after) { SELECTION } }',
    variables: ({ formId }) => ({ formId, after: beforeAll }),
    path: ['responseCreated'],
  },
  DeliveryChange: {
    operation: 'subscription ($formId: ID!, $after: String) { deliveryChanged(formId: $formId, after: $after) { SELECTION } }',
    variables: ({ formId }) => ({ formId, after: beforeAllDeliveries }),
    path: ['deliveryChanged'],
  },
  'Response/submitted': {
    operation: 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { SELECTION } errors { code } } }',
    input: ({ submission }) => submission,
    path: ['submitResponse', 'response'],
  },
};

/** Arguments that a field needs, beyond an `id` of what it answers. */
export const args: Record<string, (things: Things) => Record<string, unknown>> = {
  'Form.versionByNumber': () => ({ number: 1 }),
  'Form.changes': () => ({ from: 1, to: 2 }),
  'Query.reconcile': ({ formId }) => ({ formId }),
  'Subscription.deliveryChanged': ({ formId }) => ({ formId, after: beforeAllDeliveries }),
  'Subscription.replayChanged': ({ pausedReplayId }) => ({ id: pausedReplayId }),
  'Subscription.responseCreated': ({ formId }) => ({ formId, after: beforeAll }),
  'Subscription.responseChanged': ({ formId }) => ({ formId, after: beforeAll }),
};

const question = { text: 'How many?', kind: 'INTEGER' };
const password = 'correct horse';
const webhook = { settings: { webhook: { url: 'https://example.com/hooks' } } };

/** What every mutation is sent: sound, and about the organisation's things. `own` of a name: about the partner's. */
export const inputs: Record<string, (things: Things, actor: { refreshToken?: string | undefined }) => object> = {
  register: ({ unique }) => ({ username: unique, email: `${unique}@example.org`, password }),
  login: ({ bystander }) => ({ username: bystander, password }),
  refreshSession: (_things, { refreshToken }) => ({ refreshToken }),
  logout: () => ({}),
  changePassword: () => ({ currentPassword: password, newPassword: password }),
  switchOrganization: ({ organizationId }) => ({ organizationId }),
  inviteMember: ({ unique, formId }) => ({ email: `${unique}@example.org`, role: 'PARTNER', formIds: [formId] }),
  revokeInvitation: ({ invitationId }) => ({ id: invitationId }),
  acceptInvitation: ({ invitationToken }) => ({ token: invitationToken }),
  changeMember: ({ memberId }) => ({ id: memberId, role: 'EDITOR' }),
  removeMember: ({ memberId }) => ({ id: memberId }),
  createApiKey: () => ({ name: 'made', scopes: ['OPERATE'] }),
  revokeApiKey: ({ apiKeyId }) => ({ id: apiKeyId }),
  createForm: () => ({ title: 'Another', questions: [question] }),
  updateForm: ({ formId }) => ({ id: formId, title: 'Renamed' }),
  deleteForm: ({ formId }) => ({ id: formId }),
  duplicateForm: ({ formId }) => ({ id: formId }),
  importForm: ({ formId }) => ({ formId, definition: { formwire: 1, title: 'Imported', questions: [] } }),
  addQuestion: ({ formId }) => ({ formId, question }),
  updateQuestion: ({ questionId }) => ({ id: questionId, text: 'Which one?' }),
  removeQuestion: ({ questionId }) => ({ id: questionId }),
  reorderQuestions: ({ formId, questionId, otherQuestionId }) => ({ formId, questionIds: [questionId, otherQuestionId] }),
  addSection: ({ formId }) => ({ formId, section: { title: 'Another' } }),
  updateSection: ({ sectionId }) => ({ id: sectionId, title: 'Renamed' }),
  removeSection: ({ sectionId }) => ({ id: sectionId }),
  submitResponse: ({ formId }) => ({ formId, answers: [] }),
  amendResponse: ({ responseId }) => ({ responseId, expectedRevision: 1, metadata: { note: 'mended' } }),
  eraseResponse: ({ responseId }) => ({ responseId }),
  setReviewState: ({ responseId }) => ({ responseId, state: 'APPROVED' }),
  submitResponses: ({ formId }) => ({ responses: [{ formId, answers: [] }] }),
  testRules: ({ formId }) => ({ formId, rules: [{ name: 'known', expression: "name != 'x'", message: 'x' }] }),
  createIntegration: ({ formId }) => ({ formId, ...webhook }),
  'createIntegration/everywhere': () => webhook,
  updateIntegration: ({ integrationId }) => ({ id: integrationId, paused: true }),
  'updateIntegration/own': ({ ownIntegrationId }) => ({ id: ownIntegrationId, paused: true }),
  rotateSecret: ({ integrationId }) => ({ id: integrationId }),
  'rotateSecret/own': ({ ownIntegrationId }) => ({ id: ownIntegrationId }),
  deleteIntegration: ({ integrationId }) => ({ id: integrationId }),
  'deleteIntegration/own': ({ ownIntegrationId }) => ({ id: ownIntegrationId }),
  startBackfill: ({ fakeIntegrationId }) => ({ integrationId: fakeIntegrationId }),
  cancelBackfill: ({ jobId }) => ({ id: jobId }),
  verifySheet: ({ fakeIntegrationId }) => ({ integrationId: fakeIntegrationId }),
  previewIntegration: ({ formId }) => ({ formId, ...webhook }),
  'previewIntegration/response': ({ formId, responseId }) => ({ formId, responseId, ...webhook }),
  redeliver: ({ deliveryId }) => ({ deliveryIds: [deliveryId] }),
  'redeliver/own': ({ ownDeliveryId }) => ({ deliveryIds: [ownDeliveryId] }),
  repairMissing: ({ formId }) => ({ formId }),
  previewReplay: ({ formId }) => ({ formId, mode: 'MISSED', since: '2020-01-01T00:00:00Z' }),
  startReplay: ({ replayToken }) => ({ token: replayToken }),
  pauseReplay: ({ replayId }) => ({ id: replayId }),
  resumeReplay: ({ pausedReplayId }) => ({ id: pausedReplayId }),
  cancelReplay: ({ replayId }) => ({ id: replayId }),
  'redeliver/found': ({ formId }) => ({ filter: { formId, status: 'DEAD' } }),
};

/** Mutations that use up what somebody came with: they log in again afterwards. */
export const consuming: readonly string[] = ['refreshSession', 'logout', 'changePassword'];

/** What mutations answer that the owner cannot read afterwards: it is gone, or nobody of theirs. */
export const unread: Record<string, readonly string[]> = {
  register: ['user'],
  login: ['user'],
  removeMember: ['member'],
  removeSection: ['section'],
  deleteForm: ['form'],
};
