/** The version of this package, equal in every package of the project. */
export const version = '0.1.0';
