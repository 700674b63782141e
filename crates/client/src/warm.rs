//! One connection held over many requests, made again when the server has closed it.

use std::time::Instant;

use crate::client::Client;
use crate::connection::{Connection, Phases};
use crate::failure::{Failure, FailureKind};
use crate::message::{Answer, Limits, Request};
use crate::target::Target;

/// One connection held over many requests. It is made when it is needed: at first, for another host, and after the server has closed it.
#[derive(Debug)]
pub struct Warm {
    client: Client,
    connection: Option<Connection>,
}

/// An answer, and how it was come by.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The answer.
    pub answer: Answer,
    /// What the connection took, when [`Warm::send`] had to make it; `None` when it was there.
    pub phases: Option<Phases>,
    reused: bool,
}

impl Exchange {
    /// Whether the connection had served an earlier request.
    #[must_use]
    pub fn reused(&self) -> bool {
        self.reused
    }
}

impl Warm {
    /// Without a connection yet.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            connection: None,
        }
    }

    /// The connection as it is now: to read its peer, its certificate, its version.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Closes the connection, so that the next request makes a new one.
    pub fn close(&mut self) {
        self.connection = None;
    }

    /// Makes sure that there is a connection to this target, and says what it took when it had to be made.
    ///
    /// # Errors
    /// Those of [`Client::connect`].
    pub async fn connect(
        &mut self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Option<Phases>, Failure> {
        if let Some(connection) = &mut self.connection
            && connection.serves(target)
            && connection.is_open()
            // A peer of HTTP/1.1 that still sends an answer nobody waits for would keep this waiting.
            && tokio::time::timeout_at(deadline.into(), connection.ready()).await.unwrap_or(false)
        {
            return Ok(None);
        }
        self.connection = None;
        let connection = self.client.connect(target, deadline).await?;
        Ok(Some(self.connection.insert(connection).phases()))
    }

    /// Sends a request. A connection that has served an earlier one may turn out closed: the server had given it up while it was idle, which is no
    /// failure of the server. The request is sent once more on a new connection then, if it is idempotent (RFC 9110, section 9.2.2) or nothing of
    /// it was sent.
    ///
    /// # Errors
    /// Those of [`Client::connect`] and [`Connection::send`]. The connection is closed then.
    pub async fn send(
        &mut self,
        request: Request<'_>,
        limits: Limits,
    ) -> Result<Exchange, Failure> {
        let phases = self.connect(request.target, limits.deadline).await?;
        let reused = self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.requests() > 0);
        match self.attempt(request.clone(), limits).await {
            Ok(answer) => Ok(Exchange {
                answer,
                phases,
                reused,
            }),
            Err(Broken { failure, unsent })
                if failure.kind == FailureKind::Reset
                    && reused
                    && (unsent || request.method.is_idempotent()) =>
            {
                let phases = self.connect(request.target, limits.deadline).await?;
                let answer = self
                    .attempt(request, limits)
                    .await
                    .map_err(|broken| broken.failure)?;
                Ok(Exchange {
                    answer,
                    phases,
                    reused: false,
                })
            }
            Err(Broken { failure, .. }) => Err(failure),
        }
    }

    /// Sends on the connection that [`Warm::connect`] has provided, and keeps it only if it can be used again.
    async fn attempt(&mut self, request: Request<'_>, limits: Limits) -> Result<Answer, Broken> {
        let Some(mut connection) = self.connection.take() else {
            let failure = Failure::new(FailureKind::Connect, "there is no connection");
            return Err(Broken {
                failure,
                unsent: true,
            });
        };
        match connection.send(request, limits).await {
            Ok(answer) => {
                self.connection = Some(connection);
                Ok(answer)
            }
            Err(failure) => Err(Broken {
                failure,
                unsent: connection.unsent(),
            }),
        }
    }
}

/// A failure on a connection.
struct Broken {
    failure: Failure,
    /// Nothing of the request has left this machine.
    unsent: bool,
}
