import { userErrorCodes, type Fault } from '../user-error.ts';
import { builder } from './builder.ts';

const UserErrorCodeType = builder.enumType('UserErrorCode', {
  description: 'A code keeps its meaning for ever and is never reused.',
  values: userErrorCodes,
});

/** One entry of a payload's `errors`. */
export const UserErrorType = builder.objectRef<Fault>('UserError').implement({
  description: 'One fault of an input that the caller can mend.',
  fields: (t) => ({
    code: t.expose('code', { type: UserErrorCodeType }),
    message: t.exposeString('message'),
    path: t.stringList({
      description: 'Where in `input`: names of fields and numbers of list items.',
      resolve: (fault) => fault.path.map(String),
    }),
  }),
});
