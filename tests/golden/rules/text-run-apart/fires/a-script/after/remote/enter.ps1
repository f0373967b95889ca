$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String("ZWNobyBpbmVydA=="))
Invoke-Expression $text
