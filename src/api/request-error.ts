import { GraphQLError } from 'graphql';
import { limits, type LimitName } from './limits.ts';

/** A GraphQL error for what went wrong before there was an operation to execute. */
export const requestError = (code: string, message: string): GraphQLError => new GraphQLError(message, { extensions: { code } });

/** The error of a request past a limit, with the limit's own code. `message`: what was past it, and where it lies. */
export const pastLimit = (name: LimitName, message: string): GraphQLError => requestError(limits[name].code, message);
