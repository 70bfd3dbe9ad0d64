//! Who asks AWS, and how it is reached: credentials, Region, endpoint, TLS.

use super::clock::Clock;
use super::tape::Tape;
use crate::evidence::recording::Recording;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How a user wants AWS to be reached. Everything left out is found as the AWS CLI finds it.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// The Region through which global services are asked.
    pub region: Option<String>,
    /// A role to assume.
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name in CloudTrail.
    pub session_name: Option<String>,
    /// The MFA device that the role's trust policy asks for.
    pub mfa_serial: Option<String>,
    /// The device's current code.
    pub mfa_code: Option<String>,
    /// Another address for all services.
    pub endpoint_url: Option<String>,
    /// How long one request may take, from the first byte sent to the last byte received.
    pub timeout: Option<Duration>,
}

/// AWS cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No credentials, or not those that were meant.
    #[error("no usable AWS credentials: {0}")]
    Credentials(String),
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// The role could not be assumed.
    #[error("cannot assume {role}: {reason}")]
    AssumeRole {
        /// The role.
        role: String,
        /// AWS's answer.
        reason: String,
    },
}

/// What is asked where nothing says otherwise: the home of the global services in the commercial partition.
const DEFAULT_REGION: &str = "us-east-1";
/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take, where nothing else is said.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A way to ask AWS.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    client: Option<SharedHttpClient>,
    timeout: Duration,
    clock: Arc<Clock>,
    /// The Region through which global services are asked.
    pub home_region: String,
}

/// Gives the code of an MFA device, asked from the person at the terminal.
pub type AskMfaCode<'a> = &'a (dyn Fn(&str) -> Result<String, String> + Send + Sync);

impl Session {
    /// Finds credentials and tries whether they can be had, before anything is asked.
    pub async fn connect(options: &SessionOptions, ask: AskMfaCode<'_>) -> Result<Self, SessionError> {
        let client = http_client()?;
        let home_region = home_region(options).await;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client.clone())
            .region(Region::new(home_region.clone()))
            .timeout_config(timeouts());
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        // The SDK passes over a profile's mfa_serial (aws-sdk-rust issue 527), and AWS then refuses the role: such
        // a profile's role is assumed here, with the credentials of its source profile.
        let profiles = profiles(options).await?;
        let mut options = options.clone();
        let mut named = options.profile.clone();
        if let Some(role) = profiles.as_ref().and_then(role_with_mfa) {
            // Credentials in the environment go before AWS_PROFILE, as they do for the AWS CLI.
            loader = loader.profile_name(&role.source_profile);
            named = named.and(Some(role.source_profile));
            options.role_arn = options.role_arn.or(Some(role.role_arn));
            options.external_id = options.external_id.or(role.external_id);
            options.session_name = options.session_name.or(role.session_name);
            options.mfa_serial = options.mfa_serial.or(Some(role.mfa_serial));
        }
        if let Some(name) = &named {
            // Who names a profile means its credentials, whatever else is in the environment.
            let provider = ProviderConfig::without_region()
                .with_region(Some(Region::new(home_region.clone())))
                .with_http_client(client.clone());
            let provider = ProfileFileCredentialsProvider::builder().profile_name(name).configure(&provider).build();
            loader = loader.profile_name(name).credentials_provider(provider);
        }
        let config = loader.load().await;
        let config = match (&options.role_arn, &options.mfa_serial) {
            (Some(role), Some(serial)) => assume_with_mfa(&config, role, serial, &options, ask).await?,
            (Some(role), None) => {
                let mut provider = AssumeRoleProvider::builder(role)
                    .session_name(session_name(&options))
                    .region(Region::new(home_region.clone()))
                    .configure(&config);
                if let Some(id) = &options.external_id {
                    provider = provider.external_id(id);
                }
                let provider = provider.build().await;
                config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
            }
            (None, Some(serial)) => session_with_mfa(&config, serial, &options, ask).await?,
            (None, None) => config,
        };
        let provider = config
            .credentials_provider()
            .ok_or_else(|| SessionError::Credentials(format!("the configuration names none; {REMEDY}")))?;
        provider.provide_credentials().await.map_err(|error| match &options.role_arn {
            Some(role) if options.mfa_serial.is_none() => {
                SessionError::AssumeRole { role: role.clone(), reason: texts(&error) }
            }
            _ => SessionError::Credentials(format!("{}; {REMEDY}", cause(&texts(&error)))),
        })?;
        let timeout = options.timeout.unwrap_or(REQUEST_TIMEOUT);
        Ok(Self { config, client: Some(client), timeout, clock: Arc::default(), home_region })
    }

    /// A way to ask a recording.
    pub fn replay(home_region: &str) -> Self {
        let nobody = Credentials::new("REPLAY", "REPLAY", None, None, "replay");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(home_region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(nobody))
            .build();
        let clock = Arc::default();
        Self { config, client: None, timeout: REQUEST_TIMEOUT, clock, home_region: home_region.to_owned() }
    }

    /// The SDK's configuration over a recording: live it records, replaying it answers.
    pub(super) fn sdk_config(&self, recording: &Arc<Recording>) -> SdkConfig {
        let tape = match &self.client {
            Some(client) => Tape::live(Arc::clone(recording), client.clone(), self.timeout, self.clock()),
            None => Tape::replay(Arc::clone(recording)),
        };
        let mut builder = self
            .config
            .to_builder()
            .http_client(tape)
            .time_source(SharedTimeSource::new(SharedClock(self.clock())))
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(TokioSleep::new()))
            // Retries, pauses and deadlines are the caller's: it knows the limits of each operation.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Ok(name) = AppName::new(concat!("auditpack-", env!("CARGO_PKG_VERSION"))) {
            builder = builder.app_name(name);
        }
        builder.build()
    }

    /// The clock that requests are signed by.
    pub(super) fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.clock)
    }

    /// Whether answers come from a recording.
    pub fn is_replay(&self) -> bool {
        self.client.is_none()
    }
}

/// The SDK's handle on the clock.
#[derive(Debug)]
struct SharedClock(Arc<Clock>);

impl TimeSource for SharedClock {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
}

/// The SDK's account of every place where it looked, in one line. That there are none anywhere is all that a person
/// needs to know of it; what is wrong with those that there are is said as it is.
fn cause(text: &str) -> String {
    let nowhere = ["no credentials found in chain", "IMDS", "the credential provider was not enabled"];
    if nowhere.iter().any(|words| text.contains(words)) {
        return "none in the environment, the profile, the container or the instance".to_owned();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const REMEDY: &str = "set AWS_PROFILE or --profile, run `aws sso login`, or set AWS_ACCESS_KEY_ID and \
     AWS_SECRET_ACCESS_KEY; to try auditpack without an account, use --replay with a recording";

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build()
}

/// A client over TLS, trusting the system's roots and, as the AWS CLI does, those in the file that AWS_CA_BUNDLE names.
fn http_client() -> Result<SharedHttpClient, SessionError> {
    Ok(Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls_context()?).build_https())
}

/// The same for a single request to somebody else than AWS.
pub(super) fn connector(timeout: Duration) -> Result<Connector, SessionError> {
    let connector = Connector::builder()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls_context()?)
        .proxy_config(ProxyConfig::from_env())
        .connector_settings(
            HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(timeout).build(),
        )
        .sleep_impl(TokioSleep::new());
    Ok(connector.build())
}

fn tls_context() -> Result<TlsContext, SessionError> {
    let mut trusted = TrustStore::default();
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        let pem = std::fs::read(&path).map_err(|e| {
            SessionError::Settings(format!("cannot read {}, which AWS_CA_BUNDLE names: {e}", path.display()))
        })?;
        trusted = trusted.with_pem_certificate(pem);
    }
    TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|e| SessionError::Settings(format!("the certificates in AWS_CA_BUNDLE cannot be used: {e}")))
}

/// The Region that the user, the environment or the profile names. The instance metadata service is not asked: on a
/// laptop that is a pause of seconds for nothing.
async fn home_region(options: &SessionOptions) -> String {
    let profile = match &options.profile {
        Some(name) => ProfileFileRegionProvider::builder().profile_name(name).build(),
        None => ProfileFileRegionProvider::builder().build(),
    };
    let chain = RegionProviderChain::first_try(options.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile);
    chain.region().await.map_or_else(|| DEFAULT_REGION.to_owned(), |region| region.as_ref().to_owned())
}

struct ProfileRole {
    source_profile: String,
    role_arn: String,
    mfa_serial: String,
    external_id: Option<String>,
    session_name: Option<String>,
}

/// The profiles of the shared configuration files, with the selected one. A profile that is named must be there.
async fn profiles(options: &SessionOptions) -> Result<Option<ProfileSet>, SessionError> {
    // The type's new home is a crate that is otherwise none of ours.
    #[allow(deprecated)]
    let profiles = aws_config::profile::load(
        &aws_types::os_shim_internal::Fs::real(),
        &aws_types::os_shim_internal::Env::real(),
        &aws_config::profile::profile_file::ProfileFiles::default(),
        options.profile.clone().map(Into::into),
    )
    .await;
    let profiles = match (profiles, &options.profile) {
        (Ok(profiles), _) => profiles,
        (Err(error), Some(name)) => {
            let text = texts(&error);
            return Err(SessionError::Settings(format!("cannot read the profile `{name}`: {text}")));
        }
        // What is wrong with the files, the credentials chain says better.
        (Err(_), None) => return Ok(None),
    };
    if let Some(name) = &options.profile
        && profiles.get_profile(name).is_none()
    {
        let mut known: Vec<&str> = profiles.profiles().collect();
        known.sort_unstable();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(SessionError::Settings(format!(
            "there is no profile `{name}` in the AWS configuration files ({known}); \
             `aws configure list-profiles` lists them"
        )));
    }
    Ok(Some(profiles))
}

/// The role of the selected profile, if it asks for MFA.
fn role_with_mfa(profiles: &ProfileSet) -> Option<ProfileRole> {
    let text = |key: &str| profiles.get(key).map(str::to_owned);
    Some(ProfileRole {
        source_profile: text("source_profile")?,
        role_arn: text("role_arn")?,
        mfa_serial: text("mfa_serial")?,
        external_id: text("external_id"),
        session_name: text("role_session_name"),
    })
}

fn session_name(options: &SessionOptions) -> String {
    options.session_name.clone().unwrap_or_else(|| "auditpack".to_owned())
}

fn mfa_code(serial: &str, options: &SessionOptions, ask: AskMfaCode<'_>) -> Result<String, SessionError> {
    match &options.mfa_code {
        Some(code) => Ok(code.clone()),
        None => ask(serial).map_err(SessionError::Credentials),
    }
}

async fn assume_with_mfa(
    config: &SdkConfig,
    role: &str,
    serial: &str,
    options: &SessionOptions,
    ask: AskMfaCode<'_>,
) -> Result<SdkConfig, SessionError> {
    let code = mfa_code(serial, options, ask)?;
    let answer = aws_sdk_sts::Client::new(config)
        .assume_role()
        .role_arn(role)
        .role_session_name(session_name(options))
        .set_external_id(options.external_id.clone())
        .serial_number(serial)
        .token_code(code)
        .send()
        .await
        .map_err(|error| SessionError::AssumeRole { role: role.to_owned(), reason: texts(&error) })?;
    with_credentials(config, answer.credentials)
}

async fn session_with_mfa(
    config: &SdkConfig,
    serial: &str,
    options: &SessionOptions,
    ask: AskMfaCode<'_>,
) -> Result<SdkConfig, SessionError> {
    let code = mfa_code(serial, options, ask)?;
    let answer = aws_sdk_sts::Client::new(config)
        .get_session_token()
        .serial_number(serial)
        .token_code(code)
        .send()
        .await
        .map_err(|error| {
            SessionError::Credentials(format!("no session with MFA device {serial}: {}", texts(&error)))
        })?;
    with_credentials(config, answer.credentials)
}

/// Temporary credentials. They are not renewed: that would need another code.
fn with_credentials(
    config: &SdkConfig,
    given: Option<aws_sdk_sts::types::Credentials>,
) -> Result<SdkConfig, SessionError> {
    let given = given.ok_or_else(|| SessionError::Credentials("STS answered without credentials".to_owned()))?;
    let expires = SystemTime::try_from(given.expiration).ok();
    let credentials =
        Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), expires, "auditpack");
    Ok(config.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build())
}

/// An error with its causes.
fn texts(error: &(dyn std::error::Error + 'static)) -> String {
    super::failure::causes(error)
}
