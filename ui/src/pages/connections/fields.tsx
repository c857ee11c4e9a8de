import { Field, Input } from "@fluentui/react-components";
import type { ConnectionField } from "../../api/types";
import { text } from "../../text";

/** The fields of a sign-in, by the connection's kind as the server describes it. Secrets are never shown or filled in. */
export function CredentialFields(props: { fields: ConnectionField[]; values: Record<string, string>; onChange: (name: string, value: string) => void; disabled?: boolean }) {
  return props.fields.map((field) => (
    <Field key={field.name} label={field.displayName} required={field.required}>
      <Input
        type={field.secret ? "password" : "text"}
        // A password manager would offer the portal's own password here.
        autoComplete={field.secret ? "new-password" : "off"}
        autoCapitalize="none"
        spellCheck={false}
        disabled={props.disabled}
        value={props.values[field.name] ?? field.value ?? ""}
        onChange={(_, data) => props.onChange(field.name, data.value)}
      />
    </Field>
  ));
}

/** What the fields hold now, those without a value left out. */
export function credentialsOf(fields: ConnectionField[], values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = values[field.name] ?? field.value ?? "";
      return value === "" ? [] : [[field.name, value] as const];
    }),
  );
}

/** The service's own words beside ours. */
export function ServiceAnswer({ title, message, service }: { title: string; message?: string; service?: { statusCode?: number; body?: unknown } }) {
  const body = service?.body;
  return (
    <div className="service-answer" role="alert">
      <strong>{title}</strong>
      {message && <p className="breakable">{message}</p>}
      {service && (
        <>
          <p>{text.connections.serviceSaid(service.statusCode)}</p>
          {body !== undefined && body !== "" && <pre className="breakable">{typeof body === "string" ? body : JSON.stringify(body, null, 2)}</pre>}
        </>
      )}
    </div>
  );
}
