import { Button, MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle, Spinner } from "@fluentui/react-components";
import { type ReactNode, useEffect } from "react";
import { ApiError } from "../api/client";
import type { List } from "../api/queries";
import { text } from "../text";

/** A page's frame: its title (also the document's), what can be done with it, and its content. */
export function Page(props: { title: string; above?: ReactNode; beside?: ReactNode; actions?: ReactNode; wide?: boolean; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} - ${text.product}`;
  }, [props.title]);
  return (
    <div className={props.wide ? "page page-wide" : "page"}>
      <header className="page-header">
        <div className="page-heading">
          {props.above}
          <h1>
            {props.title}
            {props.beside}
          </h1>
        </div>
        {props.actions && <div className="page-actions">{props.actions}</div>}
      </header>
      {props.children}
    </div>
  );
}

/** What a refused request says, whole, and a way to ask again. */
export function Problem({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  if (!error) return null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <MessageBar intent="error" layout="multiline" className="problem">
      <MessageBarBody>
        <MessageBarTitle>{title ?? text.errors.title}</MessageBarTitle>
        <span className="breakable">{message}</span>
        {error instanceof ApiError && <span className="problem-code"> ({error.code})</span>}
      </MessageBarBody>
      {retry && (
        <MessageBarActions>
          <Button onClick={retry}>{text.errors.tryAgain}</Button>
        </MessageBarActions>
      )}
    </MessageBar>
  );
}

/** An empty state says what is not there and what to do next. */
export function Empty(props: { icon: ReactNode; title: string; hint: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <div className="empty-icon" aria-hidden>
        {props.icon}
      </div>
      <h2>{props.title}</h2>
      <p>{props.hint}</p>
      {props.children && <div className="empty-actions">{props.children}</div>}
    </div>
  );
}

export function Loading() {
  return (
    <div className="loading">
      <Spinner label={text.common.loading} />
    </div>
  );
}

/** A list's states around its rows: loading, refused, empty, and the way to its next page. */
export function ListFrame<T>(props: { list: List<T>; count: number; empty: ReactNode; children: ReactNode }) {
  const { list } = props;
  if (list.isPending) return <Loading />;
  if (list.isError && props.count === 0) return <Problem error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      {list.isError && <Problem error={list.error} retry={() => void list.refetch()} />}
      {props.count === 0 ? props.empty : props.children}
      {list.hasNextPage && (
        <div className="load-more">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
            {text.common.loadMore}
          </Button>
        </div>
      )}
    </>
  );
}
