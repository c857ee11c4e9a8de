import { useMutation, useQueryClient } from "@tanstack/react-query";
import { send, sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import { useListOf } from "../../api/queries";
import type { Person, PersonLink, Role } from "../../api/types";

const key = ["people"];
export const roles: Role[] = ["viewer", "maker", "admin"];

export const usePeople = (wanted: boolean) => useListOf<Person>(key, paths.users, wanted);

function useChange<Input, Output>(work: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: work, onSuccess: () => client.invalidateQueries({ queryKey: key }) });
}

export const useInvite = () => useChange((who: { userName: string; displayName?: string; role: Role }) => sendJson<PersonLink>("POST", paths.users, who));
export const useNewLink = () => useChange((id: string) => sendJson<PersonLink>("POST", paths.userLink(id), {}));
export const useChangePerson = () => useChange(({ id, ...change }: { id: string; role?: Role; state?: "active" | "disabled" }) => sendJson<Person>("PATCH", paths.user(id), change));
export const useWithdraw = () => useChange((id: string) => send(paths.user(id), { method: "DELETE" }));
