package forecast

import rego.v1

violation contains finding("FC-ENDPOINT-009", model, sprintf("%s.ModelDataSource.S3DataSource", [path]), message) if {
	some [model, path, container] in containers
	some message in source_mistakes(container.ModelDataSource.S3DataSource)
}

source_mistakes(source) := {"CompressionType Gzip needs S3DataType S3Object, got S3Prefix" |
	source.CompressionType == "Gzip"
	source.S3DataType == "S3Prefix"
} |
	{sprintf("an S3Prefix ends in a slash, got %s", [source.S3Uri]) |
		source.CompressionType == "None"
		source.S3DataType == "S3Prefix"
		is_string(source.S3Uri)
		not endswith(source.S3Uri, "/")
	}
