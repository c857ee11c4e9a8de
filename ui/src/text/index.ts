// The one message catalogue. A second language becomes a second file of the same shape, chosen here.
export { english as text } from "./en";
