//! Fields of bulk operations and of the mutations that start and cancel them.

use super::names::FieldName;
use super::plan::Planned;
use super::view::{Object, Resolved, View};
use crate::bulk::{BulkRecord, Payload, UserError};
use crate::webhooks::Subscription;

/// What a mutation of the request did.
pub(crate) fn payload<'a>(view: &View<'a>, field: &Planned) -> Option<Resolved<'a>> {
    view.payloads
        .iter()
        .find(|(key, _)| *key == field.key)
        .map(|(_, payload)| Resolved::Object(Object::Payload(payload)))
}

pub(crate) fn of_payload<'a>(payload: &'a Payload, field: &Planned) -> Option<Resolved<'a>> {
    Some(match field.name {
        FieldName::BulkOperation => payload.operation.as_ref().map_or(Resolved::Null, |record| {
            Resolved::Object(Object::BulkOperation(record))
        }),
        FieldName::UserErrors => Resolved::List(
            payload
                .errors
                .iter()
                .map(|error| Some(Object::UserError(error)))
                .collect(),
        ),
        FieldName::WebhookSubscription => {
            payload.subscription.as_ref().map_or(Resolved::Null, |one| {
                Resolved::Object(Object::Subscription(one))
            })
        }
        FieldName::DeletedWebhookSubscriptionId => payload
            .deleted_subscription
            .as_deref()
            .map_or(Resolved::Null, Resolved::Text),
        _ => return None,
    })
}

pub(crate) fn subscription<'a>(one: &'a Subscription, field: &Planned) -> Option<Resolved<'a>> {
    Some(match field.name {
        FieldName::Topic => Resolved::Text(&one.topic),
        FieldName::Uri => Resolved::Text(&one.uri),
        FieldName::IncludeFields => {
            Resolved::Texts(one.include_fields.iter().map(String::as_str).collect())
        }
        _ => return None,
    })
}

pub(crate) fn user_error<'a>(error: &'a UserError, field: &Planned) -> Option<Resolved<'a>> {
    Some(match field.name {
        FieldName::Field => error.field.map_or(Resolved::Null, |name| {
            Resolved::Texts(name.split('.').collect())
        }),
        FieldName::Message => Resolved::Text(&error.message),
        FieldName::Code => error.code.map_or(Resolved::Null, Resolved::Text),
        _ => return None,
    })
}

pub(crate) fn operation<'a>(record: &'a BulkRecord, field: &Planned) -> Option<Resolved<'a>> {
    let text = |text: &'a Option<String>| text.as_deref().map_or(Resolved::Null, Resolved::Text);
    Some(match field.name {
        FieldName::Status => Resolved::Text(record.status.as_str()),
        FieldName::ErrorCode => text(&record.error_code),
        FieldName::CreatedAt => Resolved::Moment(record.created_at),
        FieldName::CompletedAt => record.completed_at.map_or(Resolved::Null, Resolved::Moment),
        FieldName::ObjectCount => Resolved::NumberText(record.object_count),
        FieldName::RootObjectCount => Resolved::NumberText(record.root_object_count),
        FieldName::FileSize => record
            .file_size
            .map_or(Resolved::Null, Resolved::NumberText),
        FieldName::Url => text(&record.url),
        FieldName::PartialDataUrl => text(&record.partial_data_url),
        _ => return None,
    })
}
