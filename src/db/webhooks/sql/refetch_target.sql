select
  s.domain as "domain: ShopDomain",
  s.status,
  c.kind as "credentials_kind?",
  c.sealed as "sealed?",
  c.sealed_access_token,
  c.access_token_expires_at
from shops s
left join shop_credentials c on c.tenant_id = $1
where s.tenant_id = $1
