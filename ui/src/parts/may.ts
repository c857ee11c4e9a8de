import { useSession } from "../api/queries";
import type { ShareRole } from "../api/types";

/** What the person may do with a flow or connection of that role: nothing is offered that the server would refuse. */
export function useMay(role: ShareRole | undefined): { run: boolean; edit: boolean; own: boolean } {
  const looksOnly = useSession().data?.user.role === "viewer";
  return { run: !looksOnly, edit: !looksOnly && role !== "CanView", own: !looksOnly && (role === undefined || role === "Owner") };
}
