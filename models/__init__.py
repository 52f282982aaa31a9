"""Every table and its words, for `from models import Experiment`."""

from models.api_alert_rule import AlertMeasure, APIAlertRule
from models.api_journal import APIJournal
from models.api_key import APIKey, APIUsage
from models.api_rate_limit import APIRateLimit
from models.api_request_log import APIMetricsSummary, APIRequestCount, APIRequestLog
from models.backup_code import BackupCode
from models.base import Base, BaseModel
from models.dataset import Dataset
from models.dataset_generation import DatasetGeneration, DatasetGenerationStatus
from models.dataset_import import DatasetImport, DatasetImportStatus
from models.email_digest_queue import EmailDigestQueue
from models.email_log import EmailLog, EmailStatus
from models.event import Event
from models.experiment import Experiment, ExperimentStatus
from models.experiment_group import ExperimentGroup
from models.experiment_param import ExperimentParam
from models.explanation import Explanation
from models.health_sample import HealthSample
from models.house_setting import HouseSetting
from models.hpo_campaign import HPOCampaign, HPOMethod
from models.idempotency_key import IdempotencyKey
from models.job import Job, JobStatus
from models.linked_identity import LinkedIdentity
from models.logged_model import LoggedModel
from models.login_history import LoginHistory
from models.metric_series import MetricChunk, MetricKey, MetricSeries
from models.nas_campaign import NASCampaign, NASTrial
from models.notification_preference import EventType, NotificationPreference
from models.one_time_token import OneTimeToken
from models.passkey import Passkey
from models.permissions import (
    ROLE_PERMISSIONS,
    AuthenticationRequired,
    Permission,
    PermissionDenied,
    Role,
    admin_required,
    has_permission,
    operator_required,
    require_permission,
    require_role,
    super_admin_required,
)
from models.run_input import RunInput
from models.run_tag import RunTag
from models.saved_search import SavedSearch
from models.session_log import SessionLog
from models.signal import Signal
from models.system_log import SystemLog
from models.tag import ExperimentTag, Tag
from models.throttle import Throttle
from models.training_run import ConfusionMatrix, TrainingRun
from models.user import User
from models.webhook_configuration import WebhookConfiguration
from models.webhook_log import WebhookLog, WebhookStatus

__all__ = [
    "ROLE_PERMISSIONS",
    "APIAlertRule",
    "APIJournal",
    "APIKey",
    "APIMetricsSummary",
    "APIRateLimit",
    "APIRequestCount",
    "APIRequestLog",
    "APIUsage",
    "AlertMeasure",
    "AuthenticationRequired",
    "BackupCode",
    "Base",
    "BaseModel",
    "ConfusionMatrix",
    "Dataset",
    "DatasetGeneration",
    "DatasetGenerationStatus",
    "DatasetImport",
    "DatasetImportStatus",
    "EmailDigestQueue",
    "EmailLog",
    "EmailStatus",
    "Event",
    "EventType",
    "Experiment",
    "ExperimentGroup",
    "ExperimentParam",
    "ExperimentStatus",
    "ExperimentTag",
    "Explanation",
    "HPOCampaign",
    "HPOMethod",
    "HealthSample",
    "HouseSetting",
    "IdempotencyKey",
    "Job",
    "JobStatus",
    "LinkedIdentity",
    "LoggedModel",
    "LoginHistory",
    "MetricChunk",
    "MetricKey",
    "MetricSeries",
    "NASCampaign",
    "NASTrial",
    "NotificationPreference",
    "OneTimeToken",
    "Passkey",
    "Permission",
    "PermissionDenied",
    "Role",
    "RunInput",
    "RunTag",
    "SavedSearch",
    "SessionLog",
    "Signal",
    "SystemLog",
    "Tag",
    "Throttle",
    "TrainingRun",
    "User",
    "WebhookConfiguration",
    "WebhookLog",
    "WebhookStatus",
    "admin_required",
    "has_permission",
    "operator_required",
    "require_permission",
    "require_role",
    "super_admin_required",
]
