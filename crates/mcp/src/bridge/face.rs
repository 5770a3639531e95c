//! The bridge's face towards the host: an MCP server that hands everything on.

use super::upstream::{Trouble, Upstream, trouble};
use crate::{
    server::{Named, list_of_tools, only_looks, server_config},
    wire::LONGEST_WAIT,
};
use futures::StreamExt as _;
use rmcp::{
    ErrorData, RoleClient, RoleServer, ServerHandler,
    model::{
        CallToolRequest, CallToolRequestParams, CallToolResponse, CallToolResult, CancelledNotification,
        CancelledNotificationParam, ClientRequest, ContentBlock, ListToolsResult, PaginatedRequestParams,
        ProgressNotificationParam, ServerConfig, ServerResult,
    },
    service::{Peer, PeerRequestOptions, RequestContext, RequestHandle, ServiceError},
};
use std::{sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// How long a call may take: the longest wait, and some time for the way.
const CALL: Duration = Duration::from_secs(LONGEST_WAIT + 40);

#[derive(Debug)]
pub(super) struct Face {
    upstream: Arc<Upstream>,
    named: Named,
    writes: TaskTracker,
}

/// To whom progress is told.
#[derive(Debug)]
struct Teller {
    host: Peer<RoleServer>,
    token: Option<rmcp::model::ProgressToken>,
}

impl Face {
    pub(super) fn new(upstream: Arc<Upstream>, named: Named) -> Self {
        Self { upstream, named, writes: TaskTracker::new() }
    }

    /// The calls that are carried out even when the host hangs up.
    pub(super) fn writes(&self) -> TaskTracker {
        self.writes.clone()
    }

    async fn hand_on(
        &self,
        params: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, Trouble> {
        let teller = Teller { host: cx.peer.clone(), token: cx.meta.get_progress_token() };
        let upstream = Arc::clone(&self.upstream);
        if only_looks(&params.name, self.named) {
            // Looking and waiting anew harms nobody.
            let looked = upstream.patiently(Trouble::may_be_repeated, || call(&upstream, &params, &teller));
            return tokio::select! {
                looked = looked => looked,
                () = cx.ct.cancelled() => {
                    Err(Trouble::Protocol(ErrorData::internal_error("The host cancelled this call.", None)))
                }
            };
        }
        let write = async move {
            upstream.patiently(Trouble::was_not_sent, || call(&upstream, &params, &teller)).await
        };
        self.writes.spawn(write).await.unwrap_or(Err(Trouble::Broken))
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        server_config(self.named)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        match self.upstream.list_tools(page).await {
            Ok(list) => Ok(list),
            Err(Trouble::Protocol(error)) => Err(error),
            // With no tools a host would not call any, and nobody would learn what is wrong.
            Err(Trouble::Key | Trouble::Refused(_)) => Ok(list_of_tools(self.named)),
            Err(other) => Err(ErrorData::internal_error(self.upstream.sentence(&other), None)),
        }
    }

    async fn call_tool(
        &self,
        mut params: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        // The host's metadata is about its own connection.
        params.meta = None;
        match self.hand_on(params, cx).await {
            Ok(response) => Ok(response),
            Err(Trouble::Protocol(error)) => Err(error),
            Err(trouble) => {
                let sentence = self.upstream.sentence(&trouble);
                Ok(CallToolResult::error(vec![ContentBlock::text(sentence)]).into())
            }
        }
    }
}

/// Makes one call, and tells the host of its progress.
async fn call(
    upstream: &Upstream,
    params: &CallToolRequestParams,
    teller: &Teller,
) -> Result<CallToolResponse, Trouble> {
    let peer = upstream.peer().await?;
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params.clone()));
    let options = PeerRequestOptions::with_timeout(CALL);
    let handle = peer.send_request_with_option(request, options).await.map_err(trouble)?;
    let mut progress = upstream.progress().subscribe(handle.progress_token.clone()).await;
    let mut cancel = CancelWhenDropped::new(&handle);
    let mut answer = std::pin::pin!(handle.await_response());
    let answered = loop {
        tokio::select! {
            biased;
            answered = &mut answer => break answered,
            Some(step) = progress.next() => teller.tell(step).await,
        }
    };
    cancel.disarm();
    match answered.map_err(trouble)? {
        ServerResult::CallToolResult(result) => Ok(result.into()),
        other => {
            tracing::error!(answer = ?other, "the server answered a tool call with something else");
            Err(trouble(ServiceError::UnexpectedResponse))
        }
    }
}

impl Teller {
    async fn tell(&self, step: ProgressNotificationParam) {
        let Some(token) = self.token.clone() else { return };
        let mut step = step;
        step.progress_token = token;
        if let Err(gone) = self.host.notify_progress(step).await {
            tracing::debug!(error = %gone, "the host could not be told of progress");
        }
    }
}

/// Lets the server know when nobody wants an answer any more.
struct CancelWhenDropped {
    call: Option<(Peer<RoleClient>, rmcp::model::RequestId)>,
}

impl CancelWhenDropped {
    fn new(handle: &RequestHandle<RoleClient>) -> Self {
        Self { call: Some((handle.peer.clone(), handle.id.clone())) }
    }

    fn disarm(&mut self) {
        self.call = None;
    }
}

impl Drop for CancelWhenDropped {
    fn drop(&mut self) {
        let Some((peer, id)) = self.call.take() else { return };
        tokio::spawn(async move {
            let param = CancelledNotificationParam::new(Some(id), None);
            // A server that is gone needs no telling.
            let _ = peer.send_notification(CancelledNotification::new(param).into()).await;
        });
    }
}
